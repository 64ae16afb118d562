//! Progress of long work, on a terminal only.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over bytes. Hidden where stderr is no terminal, as indicatif does by itself.
pub fn bytes(total: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:>9} {wide_bar} {bytes}/{total_bytes} {eta}");
    ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_message(what)
}

/// A spinner for work of unknown length.
pub fn spinner(what: &'static str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(what);
    spinner.enable_steady_tick(std::time::Duration::from_millis(120));
    spinner
}

/// A bar over a number of things.
pub fn count(total: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:>9} {wide_bar} {pos}/{len} {eta}");
    ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_message(what)
}

/// A bar over customers passed over.
pub fn customers(total: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:>9} {wide_bar} {percent}% {eta}");
    ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_message(what)
}
