//! `cohortflow demo`: a small province, served.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use dataflows::types::Month;

use super::progress;
use crate::generate::{Settings, Telling, World};
use crate::output::tell;
use crate::serve::{Config, serve};
use crate::store::room::RESERVE_BYTES;

/// The main job on a small province: make one if there is none, start the service on it, say where to look.
///
/// Drop further extracts into DIR/landing while it runs; stop it with Ctrl-C. Started again it goes on
/// from where it was.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Arguments {
    /// Where the province and the store are kept.
    #[arg(long, value_name = "DIR", default_value = "cohortflow-demo")]
    directory: PathBuf,
    /// How many customers a province is made with.
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    customers: u64,
    /// Where HTTP is served; loopback only.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7878")]
    http: SocketAddr,
}

const EXAMPLE: &str = "\
Example: a province of five thousand customers, served on http://127.0.0.1:7878.
  cohortflow demo
Then, from another terminal:
  cohortflow verify";

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        arguments.http.ip().is_loopback(),
        "{} is not a loopback address\nhint: give one of 127.0.0.1 with --http",
        arguments.http
    );
    let landing = arguments.directory.join("landing");
    if !landing.exists() {
        make_province(&landing, arguments.customers)?;
    }
    serve(Config {
        programme: None,
        landing,
        data: arguments.directory.join("data"),
        outbox: arguments.directory.join("outbox"),
        webhooks: Vec::new(),
        feed_webhooks: Vec::new(),
        webhook_patience: Duration::ZERO,
        reserve: RESERVE_BYTES,
        http: arguments.http,
        tls: None,
        oidc: None,
        is_insecure: false,
        #[cfg(feature = "sql")]
        sql: crate::serve::Sql::default(),
        workers: 1,
        poll: Duration::from_millis(500),
        has_collector: false,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Under another name until it is whole, so that a province half made is never served.
fn make_province(landing: &std::path::Path, customers: u64) -> anyhow::Result<()> {
    let settings = Settings {
        customers,
        months: 8,
        from: Month::new(2025, 1),
        seed: 1,
        feeds: Vec::new(),
        usage: Telling::Monthly,
        plain: false,
        bad_rows: 2_000,
        control: true,
    };
    let half = landing.with_extension("making");
    if half.exists() {
        std::fs::remove_dir_all(&half)?;
    }
    let world = World::new(&settings)?;
    let bar = progress::customers(world.work(), "making");
    let made = world.write(&half, &|customers| bar.inc(customers))?;
    bar.finish_and_clear();
    std::fs::rename(&half, landing).with_context(|| format!("could not name the province {landing:?}"))?;
    tell(format_args!(
        "made a province of {customers} customers: {} files, {} rows in {}",
        made.files,
        made.rows,
        landing.display()
    ));
    Ok(())
}
