//! `cohortflow serve`: the service.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::output::tell;
use crate::serve::{Config, serve};
use crate::store::room::RESERVE_BYTES;

/// Run the service: take what lands, keep the views, answer over HTTP.
///
/// With no argument it starts on an embedded store, ./cohortflow-data, with the reference programme,
/// and watches ./landing. The programme last published with `apply` wins over --programme.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Arguments {
    /// The programme to begin with: a TOML file, or a directory of them [default: the reference programme].
    #[arg(long, value_name = "PATH")]
    programme: Option<PathBuf>,
    /// The directory where extracts land.
    #[arg(long, value_name = "DIR", default_value = "landing")]
    landing: PathBuf,
    /// Where the store keeps its log. The key of phone numbers' tokens stands beside it, in DIR.key.
    #[arg(long, value_name = "DIR", default_value = "cohortflow-data")]
    data: PathBuf,
    /// Where channels find what is handed off to them, in DIR/channels/CHANNEL. Keep it with its journal, apart from the
    /// data: it tells what was handed off, whatever copy of the data is brought back.
    /// [default: beside the data, DATA.outbox]
    #[arg(long, value_name = "DIR")]
    outbox: Option<PathBuf>,
    /// Megabytes of the disk of DATA that are kept free. Past them only what forbids contacts is taken: opt-outs, lists,
    /// consents, a campaign's pause or end.
    #[arg(long, value_name = "MB", default_value_t = RESERVE_BYTES.div_ceil(1_000_000))]
    reserve: u64,
    /// Where HTTP is served. Loopback only, unless --insecure.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7878")]
    http: SocketAddr,
    /// Where SQL will be served; this build has none yet.
    #[arg(long, value_name = "ADDR")]
    pg: Option<SocketAddr>,
    /// Serve another address than loopback, to whoever asks: there are no accounts yet.
    #[arg(long)]
    insecure: bool,
    /// Worker threads of the dataflow. One is quicker for single changes, two for loads.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    workers: u8,
    /// Milliseconds between two looks at the landing directory.
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = clap::value_parser!(u32).range(10..=3_600_000))]
    poll: u32,
}

const EXAMPLE: &str = "\
Example: the reference programme, on an embedded store.
  cohortflow serve --landing landing --data cohortflow-data
Then, from another terminal:
  cohortflow ledger";

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        arguments.http.ip().is_loopback() || arguments.insecure,
        "{} is not a loopback address, and there are no accounts to tell who may ask\nhint: serve 127.0.0.1, or say --insecure",
        arguments.http
    );
    if arguments.pg.is_some() {
        tell(format_args!("warning: SQL over the Postgres wire is not carried by this build; --pg has no effect"));
    }
    serve(Config {
        programme: arguments.programme,
        landing: arguments.landing,
        outbox: arguments.outbox.unwrap_or_else(|| beside(&arguments.data)),
        data: arguments.data,
        reserve: arguments.reserve.saturating_mul(1_000_000),
        http: arguments.http,
        workers: usize::from(arguments.workers),
        poll: Duration::from_millis(u64::from(arguments.poll)),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Another directory than that of another store's, so that no two share one.
fn beside(data: &Path) -> PathBuf {
    let mut name = data.as_os_str().to_owned();
    name.push(".outbox");
    name.into()
}
