//! The command line. Exit codes: 0 done, 1 failed, 2 wrong usage.

mod check;
mod demo_data;
mod exchange;
mod keys;
mod recordings;
mod say;
mod settings;
mod streets;
mod users;

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::engine::event::Actor;

use super::clock;
use super::config::Config;
use super::descriptors;
use super::serve;
use super::store::Store;
use super::store::audit::AuditEntry;
use super::telemetry;
use super::voice;
use super::web::openapi;

/// Telephony and IVR engine for dispatch offices, on Asterisk 22 over ARI.
#[derive(Parser)]
#[command(name = "perezvon", version, about, arg_required_else_help = true)]
struct Arguments {
    /// Configuration file; /etc/perezvon/perezvon.toml by default, if it exists
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the engine
    Serve,
    /// Test configuration, database, Asterisk (version, modules, rights) and disk
    Check(check::Check),
    /// Console users and their roles
    #[command(subcommand)]
    User(users::Users),
    /// Clients' cards: tables in and out, personal data, erasure
    #[command(subcommand)]
    Clients(exchange::ClientsCommand),
    /// Orders: tables in and out
    #[command(subcommand)]
    Orders(exchange::OrdersCommand),
    /// API keys of programs
    #[command(subcommand)]
    Key(keys::Keys),
    /// The archive of talks
    #[command(subcommand)]
    Recording(recordings::Recordings),
    /// The list of streets for address hints
    #[command(subcommand)]
    Streets(streets::StreetsCommand),
    /// What was set in the console
    #[command(subcommand)]
    Settings(settings::SettingsCommand),
    DemoData(demo_data::DemoData),
    Say(say::Say),
    VoiceWorker(voice::VoiceWorker),
    /// Print the API's description (OpenAPI)
    Openapi,
}

/// Runs the command that the process was called with.
pub fn main() -> ExitCode {
    // Clap ends the process itself: 2 for wrong usage, 0 for --help and --version.
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            // The whole chain in one line.
            let _ = writeln!(std::io::stderr(), "perezvon: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let path = arguments.config.as_deref();
    match arguments.command {
        Command::Openapi => {
            print(&openapi::describe().context("the description cannot be written as JSON")?)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Serve => {
            let config = load(path)?;
            descriptors::raise();
            runtime()?.block_on(serve::serve(config))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Say(say) => {
            let config = load(path)?;
            runtime()?.block_on(say.run(&config))
        }
        Command::VoiceWorker(worker) => {
            worker.run()?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Check(check) => runtime()?.block_on(check.run(path)),
        Command::User(users) => {
            let config = load(path)?;
            runtime()?.block_on(async { users.run(&open(&config).await?).await })
        }
        Command::Recording(recordings) => {
            let config = load(path)?;
            runtime()?.block_on(async { recordings.run(&config, &open(&config).await?).await })
        }
        Command::Streets(streets) => {
            let config = load(path)?;
            runtime()?.block_on(async { streets.run(&open(&config).await?).await })
        }
        Command::Settings(settings) => {
            let config = load(path)?;
            runtime()?.block_on(async { settings.run(&open(&config).await?).await })
        }
        Command::DemoData(demo) => {
            let config = load(path)?;
            runtime()?.block_on(async { demo.run(&open(&config).await?).await })
        }
        Command::Clients(clients) => {
            let config = load(path)?;
            runtime()?.block_on(async { clients.run(&config, &open(&config).await?).await })
        }
        Command::Orders(orders) => {
            let config = load(path)?;
            runtime()?.block_on(async { orders.run(&open(&config).await?).await })
        }
        Command::Key(keys) => {
            let config = load(path)?;
            runtime()?.block_on(async { keys.run(&open(&config).await?).await })
        }
    }
}

fn load(path: Option<&std::path::Path>) -> anyhow::Result<Config> {
    let config = Config::load(path)?;
    telemetry::start(&config.telemetry);
    Ok(config)
}

async fn open(config: &Config) -> anyhow::Result<Store> {
    Ok(Store::open(config.database.url.reveal()).await?)
}

/// For all but the calls, which have a thread of their own. Each thread more costs every call (1.6 of 8.5 ms with two
/// instead of one): they wake each other up to share work that one of them would have done.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get() / 2).max(1);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .context("cannot start threads")
}

/// Prints a line. A reader that went away (`| head`) is no error of ours.
fn print(line: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write to standard output"),
    }
}

/// What is done at the command line stands in the audit too.
async fn audit(
    store: &Store,
    by: Actor,
    action: &'static str,
    subject: &str,
    detail: serde_json::Value,
) -> anyhow::Result<()> {
    let entry = AuditEntry {
        at: clock::wall(),
        actor: by,
        action: action.to_owned(),
        subject: subject.to_owned(),
        detail,
        address: String::new(),
    };
    Ok(store.append_audit(entry).await?)
}

/// A password, from standard input: arguments can be seen by every user of the machine.
fn password() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().take(4096).read_to_string(&mut text).context("cannot read the password from standard input")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_configuration_can_stand_before_and_after_the_command() {
        for line in ["perezvon --config a user list", "perezvon user list --config a"] {
            let arguments = Arguments::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(arguments.config.as_deref(), Some(std::path::Path::new("a")));
        }
    }
}
