//! The command line.

use clap::Parser;

use crate::scenario::Scenario;

/// Shows the suite at work on the backend of the operations guide, which runs in this process, on loopback and in a
/// temporary folder. Nothing needs to be installed, and nothing stays behind
#[derive(Clone, Copy, Debug, Parser)]
#[command(name = "cargo demo --", bin_name = "cargo demo --")]
pub struct Options {
    /// Let something go wrong
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<Scenario>,
    /// Leave the backend up until ctrl-C, and print the commands to try by hand
    #[arg(long)]
    pub keep: bool,
}
