//! A client, and what it is answered.

use std::time::Instant;

use postgres::{Client, NoTls, SimpleQueryMessage};

use crate::exchange::PATIENCE;
use crate::service::{Home, Service};

/// A row as text; null is none.
pub type Row = Vec<Option<String>>;

/// A service that serves SQL, and where.
pub struct Served {
    pub service: Service,
    pub port: u16,
}

impl Served {
    pub fn of(home: &Home) -> Served {
        Served::with(home, &[])
    }

    pub fn with(home: &Home, arguments: &[&str]) -> Served {
        let mut all = vec!["--pg", "127.0.0.1:0"];
        all.extend(arguments);
        let service = home.serve_with(&all);
        let deadline = Instant::now() + PATIENCE;
        let port = loop {
            let told = service.told();
            let address = told.lines().find_map(|line| line.trim().strip_prefix("SQL"));
            if let Some(port) = address.and_then(|line| line.rsplit(':').next()?.split('/').next()?.parse().ok()) {
                break port;
            }
            assert!(Instant::now() < deadline, "no SQL is served: {told}");
            std::thread::park_timeout(std::time::Duration::from_millis(2));
        };
        Served { service, port }
    }

    pub fn connect(&self) -> Client {
        self.try_connect("analyst", "cohortflow").expect("it connects")
    }

    pub fn try_connect(&self, user: &str, database: &str) -> Result<Client, postgres::Error> {
        let mut config = postgres::Config::new();
        config.host("127.0.0.1").port(self.port).user(user).dbname(database).connect(NoTls)
    }

    /// Waits until no statement takes any processor's time.
    #[track_caller]
    pub fn until_idle(&self) {
        self.service.until("/metrics", |reply| {
            let text = String::from_utf8_lossy(&reply.body).into_owned();
            text.contains("cohortflow_sql_statements_running 0").then_some(())
        });
    }
}

/// The rows of a text of statements.
#[track_caller]
pub fn rows(client: &mut Client, text: &str) -> Vec<Row> {
    try_rows(client, text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

pub fn try_rows(client: &mut Client, text: &str) -> Result<Vec<Row>, postgres::Error> {
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|place| row.get(place).map(str::to_owned)).collect()),
        _ => None,
    };
    Ok(client.simple_query(text)?.into_iter().filter_map(row).collect())
}

/// The only value.
#[track_caller]
pub fn value(client: &mut Client, text: &str) -> String {
    let rows = rows(client, text);
    rows.into_iter().flatten().next().flatten().unwrap_or_default()
}

/// The code with which a text is refused, and what is told.
#[track_caller]
pub fn refused(client: &mut Client, text: &str) -> (String, String) {
    match try_rows(client, text) {
        Ok(rows) => panic!("{text} is answered: {rows:?}"),
        Err(error) => told(&error),
    }
}

pub fn told(error: &postgres::Error) -> (String, String) {
    match error.as_db_error() {
        Some(error) => (error.code().code().to_owned(), error.message().to_owned()),
        None => panic!("no answer: {error:?}"),
    }
}
