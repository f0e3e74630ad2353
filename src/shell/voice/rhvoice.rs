//! RHVoice through its C interface (`RHVoice.h` of 1.8), opened at run time.
//!
//! Only the voice process comes here: RHVoice is GPL as a whole and is never part of the serving process, and whatever
//! it does to its memory ends that process alone. The one module with unsafe code; everything else gets [`RhVoice`].
#![allow(unsafe_code)]

use std::ffi::{CString, NulError, OsStr, c_char, c_double, c_int, c_short, c_uint, c_void};
use std::ptr;

use libloading::Library;

/// Why there is no voice.
#[derive(Debug, thiserror::Error)]
pub(super) enum RhVoiceError {
    /// The library.
    #[error("the library {library} cannot be opened: {cause}; install librhvoice5, or set speech.library")]
    Library {
        /// As configured.
        library: String,
        /// The system's words.
        cause: libloading::Error,
    },
    /// It does not start.
    #[error(
        "RHVoice does not start with the data in {data}; install rhvoice-russian rhvoice-english, or set speech.data"
    )]
    Start {
        /// As configured.
        data: String,
    },
    /// It does not take the sentence.
    #[error("the voice {voice} does not speak; choose one of those installed for speech.voices")]
    Refused {
        /// Name of the voice.
        voice: String,
    },
    /// A zero byte in a name or path.
    #[error("a name with a zero byte: {0}")]
    Zero(#[from] NulError),
}

type SetSampleRate = extern "C" fn(c_int, *mut c_void) -> c_int;
type PlaySpeech = extern "C" fn(*const c_short, c_uint, *mut c_void) -> c_int;

/// `RHVoice_callbacks`: two that we take, seven that may be null.
#[repr(C)]
struct Callbacks {
    set_sample_rate: SetSampleRate,
    play_speech: PlaySpeech,
    rest: [*const c_void; 7],
}

/// `RHVoice_init_params`.
#[repr(C)]
struct InitParams {
    data_path: *const c_char,
    config_path: *const c_char,
    resource_paths: *const *const c_char,
    callbacks: Callbacks,
    options: c_uint,
}

/// `RHVoice_synth_params`.
#[repr(C)]
struct SynthParams {
    voice_profile: *const c_char,
    absolute: [c_double; 3],
    relative: [c_double; 3],
    punctuation_mode: c_int,
    punctuation_list: *const c_char,
    capitals_mode: c_int,
    flags: c_int,
}

type NewEngine = unsafe extern "C" fn(*const InitParams) -> *mut c_void;
type DeleteEngine = unsafe extern "C" fn(*mut c_void);
type NewMessage =
    unsafe extern "C" fn(*mut c_void, *const c_char, c_uint, c_int, *const SynthParams, *mut c_void) -> *mut c_void;
type Speak = unsafe extern "C" fn(*mut c_void) -> c_int;
type DeleteMessage = unsafe extern "C" fn(*mut c_void);

/// Takes what is said: the rate, and the next samples at it. False ends the sentence.
type Listener<'a> = dyn FnMut(u32, &[i16]) -> bool + 'a;

/// What the callbacks are handed for a sentence.
struct Hearing<'a, 'b> {
    rate: u32,
    listener: &'a mut Listener<'b>,
}

extern "C" fn set_sample_rate(rate: c_int, hearing: *mut c_void) -> c_int {
    // SAFETY: RHVoice hands back the pointer given to `RHVoice_new_message`, null or the `Hearing` that
    // `RhVoice::say` keeps alive and does not touch while `RHVoice_speak` runs, on the same thread.
    if let Some(hearing) = unsafe { hearing.cast::<Hearing<'_, '_>>().as_mut() } {
        hearing.rate = u32::try_from(rate).unwrap_or(0);
    }
    1
}

extern "C" fn play_speech(samples: *const c_short, count: c_uint, hearing: *mut c_void) -> c_int {
    if samples.is_null() || count == 0 {
        return 1;
    }
    // SAFETY: as in `set_sample_rate`; and RHVoice's samples are `count` shorts that live until we return.
    let (hearing, samples) = unsafe {
        let Some(hearing) = hearing.cast::<Hearing<'_, '_>>().as_mut() else { return 1 };
        (hearing, std::slice::from_raw_parts(samples, count as usize))
    };
    c_int::from((hearing.listener)(hearing.rate, samples))
}

/// A running RHVoice.
pub(super) struct RhVoice {
    engine: *mut c_void,
    new_message: NewMessage,
    speak: Speak,
    delete_message: DeleteMessage,
    delete_engine: DeleteEngine,
    /// Dropped last: the functions live in it.
    _library: Library,
}

impl RhVoice {
    /// Opens the library and starts it with these data and settings.
    pub(super) fn open(library: &OsStr, data: &str, settings: &str) -> Result<RhVoice, RhVoiceError> {
        let no_library = |cause| RhVoiceError::Library { library: library.to_string_lossy().into_owned(), cause };
        let (data_path, config_path) = (CString::new(data)?, CString::new(settings)?);
        let params = InitParams {
            data_path: data_path.as_ptr(),
            config_path: config_path.as_ptr(),
            resource_paths: ptr::null(),
            callbacks: Callbacks { set_sample_rate, play_speech, rest: [ptr::null(); 7] },
            options: 0,
        };
        // SAFETY: the administrator named a library of RHVoice's interface: its initialisers and these functions are as
        // `RHVoice.h` declares them. They are used only while the library is open, see the order of the fields.
        unsafe {
            let opened = Library::new(library).map_err(no_library)?;
            let new_engine = *opened.get::<NewEngine>(b"RHVoice_new_tts_engine\0").map_err(no_library)?;
            let delete_engine = *opened.get::<DeleteEngine>(b"RHVoice_delete_tts_engine\0").map_err(no_library)?;
            let new_message = *opened.get::<NewMessage>(b"RHVoice_new_message\0").map_err(no_library)?;
            let speak = *opened.get::<Speak>(b"RHVoice_speak\0").map_err(no_library)?;
            let delete_message = *opened.get::<DeleteMessage>(b"RHVoice_delete_message\0").map_err(no_library)?;
            let engine = new_engine(&params);
            if engine.is_null() {
                return Err(RhVoiceError::Start { data: data.to_owned() });
            }
            Ok(RhVoice { engine, new_message, speak, delete_message, delete_engine, _library: opened })
        }
    }

    /// Says a sentence to the listener, and returns when it is whole.
    pub(super) fn say(&mut self, voice: &str, text: &str, listener: &mut Listener<'_>) -> Result<(), RhVoiceError> {
        let profile = CString::new(voice)?;
        let params = SynthParams {
            voice_profile: profile.as_ptr(),
            absolute: [0.0; 3],
            relative: [1.0; 3],
            punctuation_mode: 0,
            punctuation_list: ptr::null(),
            capitals_mode: 0,
            flags: 0,
        };
        let refused = || RhVoiceError::Refused { voice: voice.to_owned() };
        let length = c_uint::try_from(text.len()).map_err(|_| refused())?;
        let mut hearing = Hearing { rate: 0, listener };
        // SAFETY: the engine lives as long as `self`; text, parameters and `hearing` outlive the message, which is
        // deleted before we return. `hearing` is not touched here between its address being taken and that.
        let spoken = unsafe {
            let message = (self.new_message)(
                self.engine,
                text.as_ptr().cast(),
                length,
                0,
                &params,
                ptr::from_mut(&mut hearing).cast(),
            );
            if message.is_null() {
                return Err(refused());
            }
            let spoken = (self.speak)(message);
            (self.delete_message)(message);
            spoken
        };
        if spoken == 0 { Err(refused()) } else { Ok(()) }
    }
}

impl Drop for RhVoice {
    fn drop(&mut self) {
        // SAFETY: made by `RHVoice_new_tts_engine`, not null, deleted once, and no message of it is left.
        unsafe { (self.delete_engine)(self.engine) }
    }
}
