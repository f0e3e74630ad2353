//! `perezvon say`: what a caller would hear.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use crate::shell::config::Config;
use crate::shell::voice;
use crate::speech::Language;

/// Say a text as a caller would hear it, into a WAV file
#[derive(Args)]
pub(super) struct Say {
    /// ru or en; the office's language by default
    #[arg(long, value_parser = language)]
    lang: Option<Language>,
    /// The text
    text: String,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

fn language(code: &str) -> Result<Language, String> {
    let all = || format!("use one of {}", Language::ALL.map(Language::as_str).join(", "));
    Language::parse(code).ok_or_else(all)
}

impl Say {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let language = self.lang.unwrap_or(config.engine.language);
        let sound = voice::say(&config.speech, &self.text, language).await?;
        let wav = sound.write().context("the sound is too long for a WAV")?;
        std::fs::write(&self.output, wav).with_context(|| format!("cannot write {}", self.output.display()))?;
        let seconds = sound.samples.len() as f64 / f64::from(sound.rate);
        super::print(&format!("{}: {seconds:.1} s", self.output.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}
