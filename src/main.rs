//! The command line; everything happens in [`perezvon::shell::cli`].

use std::process::ExitCode;

/// A call is some thousand short-lived pieces of JSON, HTTP and SQL, made on one thread and dropped on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    perezvon::shell::cli::main()
}
