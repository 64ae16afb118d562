//! What a new user reads first.

use clap::CommandFactory;
use cohortflow::cli::Cli;

use crate::binary::{cohortflow, listing};

fn commands() -> Vec<String> {
    let command = Cli::command();
    command.get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

#[test]
fn the_commands_are_told_with_what_they_do_and_the_exit_codes() {
    let told = cohortflow(["--help"]).done();
    assert!(commands().len() >= 13);
    for name in commands() {
        assert!(told.stdout.contains(&format!("\n  {name} ")), "{name}: {}", told.stdout);
    }
    assert!(told.stdout.contains("Exit codes: 0 done, 1 answered no"), "{}", told.stdout);
    // Without a command the same is told, but nothing was done.
    let told = cohortflow::<&str>([]).ended(2);
    assert!(told.stderr.contains("Usage: cohortflow"), "{}", told.stderr);
    assert_eq!(cohortflow(["--version"]).done().stdout, concat!("cohortflow ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn the_help_of_every_command_teaches_with_examples_that_can_be_typed() {
    for name in commands() {
        let told = cohortflow([name.as_str(), "--help"]).done();
        let (about, rest) = told.stdout.split_once("\n\n").expect("what it does");
        assert!(about.len() > 20 && rest.starts_with("Usage: ") || rest.contains("\n\nUsage: "), "{}", told.stdout);
        let examples: Vec<&str> = told.stdout.lines().filter_map(|line| line.strip_prefix("  cohortflow ")).collect();
        assert!(told.stdout.contains("\nExample: ") && !examples.is_empty(), "{name}: {}", told.stdout);
        assert!(examples.iter().any(|example| example.split(' ').next() == Some(&name)), "{name}: {examples:?}");
        for example in examples {
            let command = example.split(" > ").next().and_then(|before| before.split(" < ").next()).expect("a command");
            let parsed =
                Cli::command().try_get_matches_from(std::iter::once("cohortflow".to_owned()).chain(words(command)));
            assert!(parsed.is_ok(), "{example}: {parsed:?}");
        }
    }
}

#[test]
fn every_option_that_may_be_left_out_says_what_it_is_then() {
    for command in Cli::command().get_subcommands() {
        for option in command.get_arguments().filter(|option| option.get_action().takes_values()) {
            let name = format!("{} {}", command.get_name(), option.get_id());
            let help = option.get_help().map(ToString::to_string).unwrap_or_default();
            let has_default = !option.get_default_values().is_empty() || help.contains("[default: ");
            assert!(help.len() > 10 || !option.get_possible_values().is_empty(), "{name}: {help:?}");
            let is_told = ["pg", "feeds", "data"].contains(&option.get_id().as_str());
            assert!(option.is_required_set() || has_default || is_told, "{name} has no default");
        }
    }
}

#[test]
fn completions_of_every_shell_know_the_commands() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let told = cohortflow(["completions", shell]).done();
        assert!(commands().iter().all(|name| told.stdout.contains(name.as_str())), "{shell}");
        assert!(told.stderr.is_empty());
    }
    let told = cohortflow(["completions", "zhs"]).ended(2);
    assert!(told.stderr.contains("[possible values: bash,") && told.stderr.contains("zsh"), "{}", told.stderr);
}

#[test]
fn man_has_a_page_for_every_command() {
    let home = tempfile::tempdir().expect("a directory");
    let output = home.path().join("made").join("man1");
    cohortflow(["man".as_ref(), "--output".as_ref(), output.as_os_str()]).done();
    let pages = listing(&output);
    for name in commands() {
        let page = pages.iter().find(|(page, _)| *page == format!("cohortflow-{name}.1"));
        let (_, text) = page.unwrap_or_else(|| panic!("no page of {name}"));
        assert!(String::from_utf8_lossy(text).contains(".SH SYNOPSIS"), "{name}");
    }
}

#[test]
fn what_is_mistyped_is_answered_with_what_is_near() {
    for (words, near) in [
        (&["ledgr"][..], "'ledger'"),
        (&["run", "--inptu", "x"], "'--input'"),
        (&["serve", "--landin", "x"], "'--landing'"),
        (&["run", "--format", "parqet", "--programme", "p", "--input", "i", "--output", "o"], "'parquet'"),
    ] {
        let told = cohortflow(words).ended(2);
        assert!(told.stderr.starts_with("error: ") && told.stderr.contains(near), "{words:?}: {}", told.stderr);
    }
    for words in [
        &["generate", "--customers", "0", "--output", "o"][..],
        &["generate", "--customers", "5", "--from", "2009-13", "--output", "o"],
        &["serve", "--http", "nowhere"],
        &["serve", "--workers", "0"],
        &["serve", "--poll", "0"],
        &["replay", "--input", "i", "--speed", "0"],
        &["replay", "--input", "i", "--speed", "fast"],
    ] {
        let told = cohortflow(words).ended(2);
        assert!(told.stderr.starts_with("error: invalid value"), "{words:?}: {}", told.stderr);
    }
}

/// The words of a command, as a shell takes them apart.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut quote) = (vec![String::new()], None);
    for character in command.chars() {
        match (character, quote) {
            (' ', None) => words.push(String::new()),
            ('"' | '\'', None) => quote = Some(character),
            (_, Some(open)) if character == open => quote = None,
            _ => words.last_mut().expect("a word").push(character),
        }
    }
    words
}
