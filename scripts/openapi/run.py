"""Serves a small province and lets schemathesis ask it: as whoever keeps it, then as accounts of several roles."""

import json
import pathlib
import queue
import re
import subprocess
import sys
import tempfile
import threading
import urllib.request

# Answers that never end, and rows that are lines of JSON, are asked by tests of their own.
ENDLESS = r"/(feed|socket)$|^/v1/feeds/"
# Whoever keeps the service would make an account, and be nobody from then on.
FIRST = r"^/v1/accounts"
CHECKS = "not_a_server_error,content_type_conformance,response_schema_conformance,unsupported_method"
ROLES = {"planner": {}, "city_operator": {"places": [{"city": "C01"}]}, "agent": {}, "data": {}, "privacy": {}}
LATER_FEEDS = {"activity", "cell", "happening", "ping", "tie"}


class Service:
    def __init__(self, binary, home, landing):
        command = [binary, "serve", "--landing", landing, "--data", home / "data", "--poll", "50", "--pg", "off"]
        self.process = subprocess.Popen([*command, "--http", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
        self.home, self.lines, told = home, [], queue.Queue()

        def listen():
            for line in self.process.stderr:
                self.lines.append(line)
                told.put(line)

        threading.Thread(target=listen, daemon=True).start()
        while not (found := re.search(r"cohortflow serves (http://\S+)", told.get(timeout=60))):
            pass
        self.url = found[1]

    def post(self, path, body, token=None):
        headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


def ask(tool, service, cases, seed, left_out, arguments):
    # One worker: with two, the tool's own reading of its source failed once in 20,000 cases.
    command = [tool, "run", service.url + "/v1/openapi.json", "--checks", CHECKS, "--max-examples", str(cases), "--workers", "1",
               "--phases", "coverage,fuzzing", "--seed", str(seed), "--request-timeout", "30", "--continue-on-failure", "--no-color",
               "--warnings", "off", "--exclude-path-regex", left_out, *arguments]
    asked = subprocess.run(command, capture_output=True, text=True, cwd=service.home)
    count = re.search(r"(\d+) generated", asked.stdout)
    if asked.returncode != 0 or not count:
        print(asked.stdout[-20000:], asked.stderr[-2000:], sep="\n")
        sys.exit("the service does not answer as its document says")
    if service.process.poll() is not None:
        sys.exit("the service has ended:\n" + "".join(service.lines[-20:]))
    return int(count[1])


def main():
    wanted, binary, tool = int(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve(), sys.argv[3]
    with tempfile.TemporaryDirectory() as home:
        home = pathlib.Path(home)
        landing = home / "landing"
        subprocess.run([binary, "generate", "--customers", "300", "--months", "4", "--from", "2009-04", "--seed", "3",
                        "--output", landing], check=True, capture_output=True)
        for file in landing.iterdir():
            if file.name.split("_")[0] in LATER_FEEDS:
                file.unlink()
        service, done, seed = Service(binary, home, landing), 0, 1
        try:
            while done < wanted // 2:
                done += ask(tool, service, 20, seed, f"{ENDLESS}|{FIRST}", [])
                seed += 1
                print(f"{done} cases as whoever keeps the service", flush=True)
            root = {"name": "root", "role": "administrator", "password": "correct horse"}
            service.post("/v1/accounts", root)
            token = service.post("/v1/login", {"name": "root", "password": "correct horse"})["token"]
            tokens = {"administrator": service.post("/v1/accounts/root/tokens", {}, token)["token"]}
            for role, more in ROLES.items():
                service.post("/v1/accounts", {"name": role, "role": role, **more}, tokens["administrator"])
                tokens[role] = service.post(f"/v1/accounts/{role}/tokens", {}, tokens["administrator"])["token"]
            while done < wanted:
                for role, token in tokens.items():
                    done += ask(tool, service, 5, seed, ENDLESS, ["--header", f"Authorization: Bearer {token}"])
                    print(f"{done} cases, the last as {role}", flush=True)
                    if done >= wanted:
                        break
                seed += 1
        finally:
            service.process.terminate()
            service.process.wait(timeout=60)
        if any("panicked" in line for line in service.lines):
            sys.exit("".join(service.lines[-50:]))


main()
