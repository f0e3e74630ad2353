//! The RHVoice that the tests speak with.

use std::path::Path;

/// The section for the RHVoice of this machine.
pub fn speech() -> Option<String> {
    let Ok(root) = std::env::var("PEREZVON_RHVOICE_ROOT") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "PEREZVON_RHVOICE_ROOT is not set: run deploy/test, or set it to what deploy/rhvoice prints"
        );
        eprintln!("skipped: PEREZVON_RHVOICE_ROOT is not set; deploy/rhvoice prints what to set it to");
        return None;
    };
    let libraries = std::fs::read_dir(Path::new(&root).join("usr/lib")).unwrap().flatten();
    let library = libraries.map(|entry| entry.path().join("libRHVoice.so.5")).find(|path| path.is_file());
    Some(format!(
        "[speech]\nlibrary = '{}'\ndata = '{root}/usr/share/RHVoice'\nsettings = '{root}/etc/RHVoice'\n",
        library.expect("no libRHVoice.so.5 under PEREZVON_RHVOICE_ROOT").display()
    ))
}
