//! The command line; everything happens in [`perezvon::shell::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    perezvon::shell::cli::main()
}
