"""Asks a service by every client there is, and compares what psql tells with what `run` exports."""

import asyncio
import csv
import io
import json
import pathlib
import queue
import re
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import asyncpg
import pandas
import psycopg
import sqlalchemy
from sqlalchemy.ext.asyncio import create_async_engine

ROOT = pathlib.Path(__file__).resolve().parents[2]
CUSTOMERS = 3000
LATER_FEEDS = {"activity", "cell", "happening", "ping", "tie"}
# Rows that are the service's alone; columns that tell when it took a file, or stand for a phone number.
OWN_VIEWS = {"effect_first_reported", "points_change"}
OWN_COLUMNS = {"accepted_at", "number"}


PASSWORD = "correct horse"


class Service:
    """`serve` over a province, where everything has become visible."""

    def __init__(self, binary, home):
        self.binary, self.home = binary, home
        landing = home / "landing"
        self.tool("generate", "--customers", CUSTOMERS, "--months", 4, "--from", "2009-04", "--seed", 3, "--output", landing)
        for file in landing.iterdir():
            if file.name.split("_")[0] in LATER_FEEDS:
                file.unlink()
        self.files = sum(not file.name.endswith(".ok") for file in landing.iterdir())
        programme = ROOT / "fixtures/programmes/reference"
        self.tool("run", "--programme", programme, "--input", landing, "--output", home / "out")
        self.start()
        self.settle()

    def start(self, *arguments):
        command = [self.binary, "serve", "--landing", self.home / "landing", "--data", self.home / "data", "--poll", "20"]
        command += ["--http", "127.0.0.1:0", "--pg", "127.0.0.1:0", *arguments]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        lines, told = queue.Queue(), []
        threading.Thread(target=lambda process: [lines.put(line) for line in process.stderr], args=[self.process], daemon=True).start()
        while not (found := re.search(r"postgres://127\.0\.0\.1:(\d+)/", "".join(told))):
            told.append(lines.get(timeout=60))
        self.port = int(found[1])
        self.https = re.search(r"cohortflow serves (https?://\S+)", "".join(told))[1]

    def tool(self, *arguments):
        subprocess.run([self.binary, *map(str, arguments)], check=True, capture_output=True)

    def psql(self, *commands):
        words = [word for command in commands for word in ("-c", command)]
        address = f"postgres://analyst@127.0.0.1:{self.port}/cohortflow"
        return subprocess.run(["psql", "-X", "-q", *words, address], capture_output=True, text=True, timeout=120)

    def settle(self):
        deadline = time.monotonic() + 120
        while int(self.psql(r"\t on", "SELECT count(*) FROM ingest_ledger").stdout or 0) < self.files:
            assert time.monotonic() < deadline, "the files are not taken"
            time.sleep(0.1)

    def url(self, driver):
        return f"postgresql+{driver}://analyst@127.0.0.1:{self.port}/cohortflow"


def psql_tells_what_run_exports(service):
    views = 0
    for file in sorted((service.home / "out").glob("*.csv")):
        if file.stem in OWN_VIEWS:
            continue
        told = service.psql(f"COPY {file.stem} TO STDOUT (FORMAT csv, HEADER)")
        assert told.returncode == 0, (file.stem, told.stderr)
        exported, sql = (list(csv.reader(io.StringIO(text, newline=""))) for text in (file.read_text("utf-8"), told.stdout))
        assert exported[0] == sql[0], file.stem
        truths = truth_columns(exported)
        def told_row(row):
            cells = zip(row, exported[0])
            return ["" if name in OWN_COLUMNS else {"t": "true", "f": "false"}.get(cell, cell) if place in truths else cell
                    for place, (cell, name) in enumerate(cells)]
        own = [["" if name in OWN_COLUMNS else cell for cell, name in zip(row, exported[0])] for row in exported[1:]]
        assert sorted(own) == sorted(map(told_row, sql[1:])), file.stem
        views += 1
    assert views > 50, views


def truth_columns(table):
    return {place for place in range(len(table[0])) if {row[place] for row in table[1:]} - {""} <= {"true", "false"}}


def psql_lists_and_describes(service):
    for command, told in {
        r"\d": "points_balance", r"\dt+": "each customer's class", r"\dn": "public", r"\du": "List of roles",
        r"\df": "List of functions", r"\d tier": "customer_id", r"\d+ tier": "since", r"\l": "cohortflow",
    }.items():
        answer = service.psql(command)
        assert answer.returncode == 0 and told in answer.stdout, (command, answer)


def psql_cannot_write(service):
    for text in ["DROP TABLE tier", "INSERT INTO tier VALUES ('a')", "SELECT * INTO x FROM tier", "COPY tier TO '/tmp/x'",
                 "COPY tier TO PROGRAM 'cat'", "CREATE TABLE x (a INT)", "BEGIN READ WRITE"]:
        answer = service.psql(r"\set VERBOSITY verbose", text)
        assert answer.returncode != 0 and re.search("25006|42601|0A000", answer.stderr), (text, answer)


def psycopg_3(service):
    address = f"host=127.0.0.1 port={service.port} user=analyst dbname=cohortflow"
    with psycopg.connect(address) as connection:
        count = connection.execute("SELECT count(*) FROM tier").fetchone()[0]
        some = connection.execute("SELECT customer_id FROM tier ORDER BY 1 LIMIT 1").fetchone()[0]
        assert connection.execute("SELECT customer_id FROM tier WHERE customer_id = %s", (some,)).fetchall() == [(some,)]
        assert connection.execute("SELECT %s::int + 1", (41,)).fetchone() == (42,)
        among = "SELECT count(*) FROM tier WHERE tier = ANY(%s) OR tier IS NULL"
        assert connection.execute(among, (list("ABCDEF"),)).fetchone()[0] == count
        binary = connection.cursor(binary=True)
        row = binary.execute("SELECT avg_fee, as_of, age FROM customer_attribute WHERE avg_fee IS NOT NULL LIMIT 1").fetchone()
        assert row[0] is not None and re.fullmatch(r"\d{4}-\d\d", row[1])
        for is_binary in (False, True):
            with connection.cursor(name=f"named {is_binary}", binary=is_binary) as named:
                named.itersize = 500
                named.execute("SELECT customer_id, since FROM tier WHERE customer_id <> %s", (some,))
                assert sum(1 for _ in named) == count - 1
        with connection.cursor().copy("COPY (SELECT * FROM tier) TO STDOUT") as copied:
            assert sum(1 for _ in copied.rows()) == count
    with psycopg.connect(address, autocommit=True) as connection:
        for _ in range(8):
            connection.execute("SELECT count(*) FROM tier WHERE tier = %s", ("A",), prepare=True)
        with connection.transaction(), connection.transaction():
            connection.execute("SELECT 1")
        with connection.pipeline():
            one, two = connection.execute("SELECT 1"), connection.execute("SELECT 2")
        assert (one.fetchone(), two.fetchone()) == ((1,), (2,))
        for text, error in [("DELETE FROM tier", psycopg.errors.ReadOnlySqlTransaction),
                            ("SELECT nope FROM tier", psycopg.errors.UndefinedColumn),
                            ("SELECT 1 / 0", psycopg.errors.DivisionByZero)]:
            try:
                connection.execute(text)
            except error:
                continue
            raise AssertionError(text)


def asyncpg_(service):
    async def ask():
        where = {"host": "127.0.0.1", "port": service.port, "user": "analyst", "database": "cohortflow"}
        connection = await asyncpg.connect(**where)
        count = await connection.fetchval("SELECT count(*) FROM tier")
        assert await connection.fetchval("SELECT count(*) FROM tier WHERE tier = ANY($1::text[])", list("ABCDEF")) <= count
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            rows = 0
            async for _ in connection.cursor("SELECT customer_id FROM tier", prefetch=500):
                rows += 1
        assert rows == count
        prepared = await connection.prepare("SELECT tier, count(*) FROM tier GROUP BY tier")
        assert prepared.get_attributes()[1].name == "count" and len(await prepared.fetch()) > 1
        await connection.reset()
        await connection.close()
        async with asyncpg.create_pool(**where, min_size=2, max_size=4) as pool:
            counts = await asyncio.gather(*(pool.fetchval("SELECT count(*) FROM tier") for _ in range(20)))
        assert set(counts) == {count}

    asyncio.run(ask())


def sqlalchemy_(service):
    for driver in ("psycopg", "psycopg2"):
        with sqlalchemy.create_engine(service.url(driver)).connect() as connection:
            looked = sqlalchemy.inspect(connection)
            assert len(looked.get_table_names()) > 50 and looked.get_schema_names() == ["public"]
            assert looked.has_table("tier") and not looked.has_table("nothing")
            types = {column["name"]: str(column["type"]) for column in looked.get_columns("points_balance")}
            assert types["balance"] == "BIGINT" and types["member"] == "BOOLEAN", types
            tables = sqlalchemy.MetaData()
            tables.reflect(connection)
            tier = tables.tables["tier"]
            query = sqlalchemy.select(tier.c.tier, sqlalchemy.func.count()).group_by(tier.c.tier)
            assert len(connection.execute(query).fetchall()) > 1

    async def ask():
        engine = create_async_engine(service.url("asyncpg"))
        async with engine.connect() as connection:
            assert (await connection.execute(sqlalchemy.text("SELECT count(*) FROM tier"))).scalar() > 0
        await engine.dispose()

    asyncio.run(ask())


def pandas_(service):
    with sqlalchemy.create_engine(service.url("psycopg2")).connect() as connection:
        frame = pandas.read_sql("SELECT tier, count(*) AS customers FROM tier GROUP BY tier", connection)
        assert frame["customers"].sum() > 0
        assert list(pandas.read_sql_table("rank_count", connection).columns) == ["rank", "members"]


def http(service, context, path, body, token=None):
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(service.https + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60, context=context) as answer:
        return json.load(answer)


def scram_and_tls(service):
    """The same data, served anew with a certificate and accounts: who logs in, and how."""
    service.process.terminate()
    service.process.wait(timeout=30)
    key, certificate = service.home / "key.pem", service.home / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-sha256", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    service.start("--tls-cert", certificate, "--tls-key", key)
    service.settle()
    context = ssl.create_default_context(cafile=str(certificate))
    http(service, context, "/v1/accounts", {"name": "root", "role": "administrator", "password": PASSWORD})
    token = http(service, context, "/v1/login", {"name": "root", "password": PASSWORD})["token"]
    http(service, context, "/v1/accounts", {"name": "ann", "role": "planner", "password": PASSWORD}, token)
    where = f"host=localhost port={service.port} dbname=cohortflow sslrootcert={certificate}"
    secure = f"{where} user=ann password='{PASSWORD}' sslmode=verify-full"
    for more in ["channel_binding=require", "channel_binding=disable", "sslnegotiation=direct channel_binding=require"]:
        told = subprocess.run(["psql", "-X", "-At", "-c", "SELECT current_user, count(*) > 0 FROM tier", f"{secure} {more}"],
                              capture_output=True, text=True, timeout=60)
        if "sslnegotiation" in told.stderr:
            continue  # A psql before 17 does not know it.
        assert told.stdout == "ann|t\n", (more, told)
    with psycopg.connect(f"{secure} channel_binding=require") as connection:
        assert connection.execute("SELECT count(number) FROM member_points").fetchone() == (0,)
    with psycopg.connect(f"{where} user=ann password='{PASSWORD}' sslmode=disable") as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("ann",)
    for user, password in [("ann", "wrong horse"), ("nobody", PASSWORD)]:
        try:
            psycopg.connect(f"{where} user={user} password='{password}' sslmode=require")
        except psycopg.OperationalError as error:
            assert "password authentication failed" in str(error), error
            continue
        raise AssertionError(user)

    async def ask():
        connection = await asyncpg.connect(host="localhost", port=service.port, user="ann", password=PASSWORD,
                                           database="cohortflow", ssl=context)
        assert await connection.fetchval("SELECT current_user") == "ann"
        await connection.close()

    asyncio.run(ask())


def main():
    checks = [psql_tells_what_run_exports, psql_lists_and_describes, psql_cannot_write, psycopg_3, asyncpg_, sqlalchemy_, pandas_,
              scram_and_tls]
    with tempfile.TemporaryDirectory() as home:
        service = Service(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(home))
        try:
            for check in checks:
                check(service)
                print(f"{check.__name__.strip('_')}: as it should be", flush=True)
        finally:
            service.process.terminate()
            service.process.wait(timeout=30)


main()
