//! `support-bundle`: what whoever helps needs, in one file.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::client::{Answer, Service};
use crate::output::{print, tell};
use crate::support::{build, sizes};

/// Gather what whoever helps needs into one file, without anybody's data.
///
/// The archive has the version, the settings, the programme, the metrics, the ledger in counts, whether the service is
/// ready, the sizes of its files and the latest lines of its log. It has no row, no id of a customer, no number, and no
/// secret. Where no service answers it has the version and the sizes of the files in DATA.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Arguments {
    /// The archive that is made, in place of one that is there.
    #[arg(long, value_name = "FILE", default_value = "cohortflow-support.tar.gz")]
    output: PathBuf,
    /// Where the store is, whose files are measured if no service answers.
    #[arg(long, value_name = "DIR", default_value = "cohortflow-data")]
    data: PathBuf,
    #[command(flatten)]
    service: Service,
}

const EXAMPLE: &str = "\
Example: what to send along with a question.
  cohortflow support-bundle --output support.tar.gz";

/// The directory that everything stands in, once it is unpacked.
const ROOT: &str = "cohortflow-support";

/// A file of the archive: its name, and what stands in it.
type Part = (String, Vec<u8>);

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let parts = match of_service(&arguments.service) {
        Ok(parts) => parts,
        Err(why) => {
            tell(format_args!("warning: {why:#}\nhint: without a service, only the sizes of its files are gathered"));
            of_directory(&arguments.data)?
        }
    };
    write(&arguments.output, &parts).with_context(|| {
        format!(
            "could not write the archive {:?}\nhint: name a file that you may write with --output",
            arguments.output
        )
    })?;
    parts.iter().try_for_each(|(name, text)| print(format_args!("{:>10}  {name}", text.len())))?;
    print(format_args!("written to {}; look at it before you pass it on", arguments.output.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// What a running service tells.
fn of_service(service: &Service) -> anyhow::Result<Vec<Part>> {
    // Whoever is not ready says why: the answer is wanted either way.
    let ready = match service.get("/readyz")? {
        Answer::Found(ready) | Answer::Refused(ready) => ready,
    };
    let mut parts = vec![pretty("readyz.json", &ready)?];
    let mut metrics = Vec::new();
    if service.copy("/metrics", &mut metrics)?.is_none() {
        parts.push(("metrics.txt".to_owned(), metrics));
    }
    match service.get("/v1/support")? {
        Answer::Found(told) => parts.extend(told_by(&told)?),
        Answer::Refused(refusal) => parts.push(pretty("refused.json", &refusal)?),
    }
    Ok(parts)
}

/// What `/v1/support` tells, as files.
fn told_by(told: &Value) -> anyhow::Result<Vec<Part>> {
    let member = |name: &str| told.get(name).cloned().unwrap_or_default();
    let mut parts = vec![
        pretty("build.json", &member("build"))?,
        pretty("settings.json", &member("settings"))?,
        pretty("ledger.json", &member("ledger"))?,
        pretty("files.json", &json!({ "files": member("files"), "are_all": member("files_are_all") }))?,
    ];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for source in told.get("programme").and_then(Value::as_array).into_iter().flatten() {
        let name = text(source.get("name").unwrap_or(&Value::Null));
        let content = text(source.get("text").unwrap_or(&Value::Null));
        parts.push((format!("programme/{}", plain(&name)), content.into_bytes()));
    }
    let log = told.get("log").and_then(Value::as_array).into_iter().flatten();
    let lines: Vec<String> = log.map(|line| text(line) + "\n").collect();
    parts.push(("log.txt".to_owned(), lines.concat().into_bytes()));
    Ok(parts)
}

/// What can be told without a service.
fn of_directory(data: &Path) -> anyhow::Result<Vec<Part>> {
    let (files, are_all) = sizes(data).with_context(|| {
        format!("could not look into the data directory {data:?}\nhint: name it with --data, or a service with --http")
    })?;
    Ok(vec![pretty("build.json", &build())?, pretty("files.json", &json!({ "files": files, "are_all": are_all }))?])
}

fn pretty(name: &str, value: &Value) -> anyhow::Result<Part> {
    Ok((name.to_owned(), serde_json::to_vec_pretty(value)?))
}

/// A name that stays where it is put.
fn plain(name: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || matches!(character, '.' | '-' | '_');
    let name: String = name.chars().map(|character| if is_plain(character) { character } else { '_' }).collect();
    name.trim_start_matches('.').to_owned()
}

/// The archive appears whole or not at all.
fn write(output: &Path, parts: &[Part]) -> anyhow::Result<()> {
    let name = output.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let half = output.with_file_name(format!(".{name}.tmp"));
    let mut archive = tar::Builder::new(GzEncoder::new(File::create(&half)?, Compression::default()));
    for (name, text) in parts {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default());
        archive.append_data(&mut header, format!("{ROOT}/{name}"), &**text)?;
    }
    let mut file = archive.into_inner()?.finish()?;
    file.flush()?;
    std::fs::rename(&half, output)?;
    Ok(())
}
