//! The `hookswitch` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    hookswitch::cli::main()
}
