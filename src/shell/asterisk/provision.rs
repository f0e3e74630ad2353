//! Agents' phones: an endpoint, an auth and an aor of one name, put into Asterisk's dynamic configuration, so that
//! adding an agent needs no edit of a file. Asterisk may forget them when it restarts, so they are put again after
//! each connection.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::rest::{HttpRequest, Rest, RestError};
use super::snapshot;

/// The dialplan's context for what agents dial; also the mark by which our endpoints are known.
const CONTEXT: &str = "perezvon-agent";
/// Phones put at once.
const AT_ONCE: usize = 4;
/// After a failure.
const AGAIN: Duration = Duration::from_secs(5);

/// One agent's phone.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneAccount {
    /// Name of the endpoint, its aor and its user: `[a-z0-9-]{1,40}`.
    pub endpoint: String,
    /// The phone's SIP password. Never shown.
    pub password: String,
    /// A phone in the browser.
    pub webrtc: bool,
    /// A fixed address (`sip:host:port`) for a phone that does not register.
    pub contact: Option<String>,
    /// Seconds between two questions to the phone whether it is there; 0 for none.
    pub qualify: u32,
}

impl fmt::Debug for PhoneAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PhoneAccount")
            .field("endpoint", &self.endpoint)
            .field("password", &"(hidden)")
            .field("webrtc", &self.webrtc)
            .field("contact", &self.contact)
            .field("qualify", &self.qualify)
            .finish()
    }
}

impl PhoneAccount {
    /// The name may go into Asterisk's configuration.
    #[must_use]
    pub fn valid_name(name: &str) -> bool {
        (1..=40).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    }

    /// What is wrong with it, if anything: nothing but plain characters ever goes into Asterisk's configuration.
    fn fault(&self) -> Option<&'static str> {
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';' && byte != b'"');
        if !PhoneAccount::valid_name(&self.endpoint) {
            Some("its name must be 1 to 40 of a-z, 0-9 and -")
        } else if self.password.is_empty() || self.password.len() > 128 || !plain(&self.password) {
            Some("its password must be 1 to 128 visible ASCII characters without ; and \"")
        } else if self.contact.as_ref().is_some_and(|contact| {
            !contact.starts_with("sip:") || contact.len() > 200 || contact.contains(',') || !plain(contact)
        }) {
            Some("its contact must be like sip:host:port")
        } else {
            None
        }
    }
}

/// The phones that are to exist.
#[derive(Debug)]
pub(super) struct Phones {
    wanted: Mutex<Wanted>,
    changed: Notify,
    media_address: Option<String>,
}

#[derive(Debug, Default)]
struct Wanted {
    accounts: BTreeMap<String, PhoneAccount>,
    /// The list was given as a whole: what is not on it may be removed.
    whole: bool,
    /// To be put, because new or changed or because Asterisk may have forgotten.
    put: BTreeSet<String>,
    /// To be removed.
    remove: BTreeSet<String>,
}

impl Phones {
    pub(super) fn new(media_address: Option<String>) -> Phones {
        Phones { wanted: Mutex::default(), changed: Notify::new(), media_address }
    }

    pub(super) fn set(&self, accounts: impl IntoIterator<Item = PhoneAccount>) {
        let accounts: BTreeMap<_, _> =
            accounts.into_iter().map(|account| (account.endpoint.clone(), account)).collect();
        let mut wanted = self.lock();
        let gone: Vec<_> = wanted.accounts.keys().filter(|name| !accounts.contains_key(*name)).cloned().collect();
        let changed: Vec<_> = accounts
            .iter()
            .filter(|(name, account)| wanted.accounts.get(*name) != Some(account))
            .map(|(name, _)| name.clone())
            .collect();
        wanted.remove.retain(|name| !accounts.contains_key(name));
        wanted.remove.extend(gone);
        wanted.put.retain(|name| accounts.contains_key(name));
        wanted.put.extend(changed);
        wanted.accounts = accounts;
        wanted.whole = true;
        self.changed.notify_one();
    }

    pub(super) fn put(&self, account: PhoneAccount) {
        let mut wanted = self.lock();
        wanted.remove.remove(&account.endpoint);
        wanted.put.insert(account.endpoint.clone());
        wanted.accounts.insert(account.endpoint.clone(), account);
        self.changed.notify_one();
    }

    pub(super) fn remove(&self, endpoint: &str) {
        let mut wanted = self.lock();
        wanted.put.remove(endpoint);
        if wanted.accounts.remove(endpoint).is_some() {
            wanted.remove.insert(endpoint.to_owned());
        }
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything anew, after a connection.
    fn all_again(&self) {
        let mut wanted = self.lock();
        let all: Vec<_> = wanted.accounts.keys().cloned().collect();
        wanted.put.extend(all);
    }

    fn work(&self) -> (Vec<PhoneAccount>, Vec<String>) {
        let mut wanted = self.lock();
        let put = std::mem::take(&mut wanted.put);
        let remove = std::mem::take(&mut wanted.remove);
        let accounts = put.iter().filter_map(|name| wanted.accounts.get(name).cloned()).collect();
        (accounts, remove.into_iter().collect())
    }

    fn again(&self, put: impl IntoIterator<Item = String>, remove: impl IntoIterator<Item = String>) {
        let mut wanted = self.lock();
        for name in put {
            if wanted.accounts.contains_key(&name) {
                wanted.put.insert(name);
            }
        }
        for name in remove {
            if !wanted.accounts.contains_key(&name) {
                wanted.remove.insert(name);
            }
        }
    }
}

/// Keeps the phones in Asterisk equal to the list, until cancelled.
pub(super) async fn run(
    phones: std::sync::Arc<Phones>,
    rest: Rest,
    mut connections: watch::Receiver<u64>,
    cancel: CancellationToken,
) {
    let mut connected = false;
    let mut failed = false;
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            change = connections.changed() => {
                if change.is_err() {
                    return;
                }
                connected = true;
                phones.all_again();
                remove_strangers(&phones, &rest).await;
            }
            () = phones.changed.notified() => {}
            () = tokio::time::sleep(AGAIN), if failed => {}
        }
        failed = connected && !bring_in_line(&phones, &rest).await;
    }
}

/// Puts and removes what is to be; whether all went well.
async fn bring_in_line(phones: &Phones, rest: &Rest) -> bool {
    let (put, remove) = phones.work();
    let media_address = phones.media_address.as_deref();
    let puts = futures_util::stream::iter(put)
        .map(|account| async move {
            let result = put_one(rest, &account, media_address).await;
            (account.endpoint, result)
        })
        .buffer_unordered(AT_ONCE);
    let results: Vec<_> = puts.collect().await;
    let mut put_again = Vec::new();
    let mut remove_again = Vec::new();
    for (endpoint, result) in results {
        if let Err(fault) = result {
            error!(endpoint, %fault, "the phone could not be put into Asterisk");
            if fault.passes() {
                put_again.push(endpoint);
            }
        }
    }
    for endpoint in remove {
        if let Err(fault) = remove_one(rest, &endpoint).await {
            error!(endpoint, %fault, "the phone could not be removed from Asterisk");
            remove_again.push(endpoint);
        }
    }
    let well = put_again.is_empty() && remove_again.is_empty();
    phones.again(put_again, remove_again);
    well
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("{0}")]
    Account(&'static str),
    #[error("{0}; is the dynamic configuration of sorcery.conf in place?")]
    Rest(#[from] RestError),
}

impl Fault {
    /// Worth trying again.
    fn passes(&self) -> bool {
        match self {
            Fault::Account(_) => false,
            Fault::Rest(error) => !matches!(error.status(), Some(400..=499)),
        }
    }
}

async fn put_one(rest: &Rest, account: &PhoneAccount, media_address: Option<&str>) -> Result<(), Fault> {
    if let Some(fault) = account.fault() {
        return Err(Fault::Account(fault));
    }
    // What a phone in the browser has and others have not would stay for ever: Asterisk adds what it is given to what
    // it has. So the other kind of phone is made anew.
    let was = field(rest, &account.endpoint, "webrtc").await;
    if was.is_some_and(|was| (was == "yes" || was == "true") != account.webrtc) {
        remove_one(rest, &account.endpoint).await?;
    }
    for (kind, fields) in objects(account, media_address) {
        let request = HttpRequest::put(&dynamic(kind, &account.endpoint)).json(&json!({ "fields": fields }));
        rest.send(&request).await?;
    }
    Ok(())
}

/// In the reverse order of their making: the endpoint needs the others.
async fn remove_one(rest: &Rest, endpoint: &str) -> Result<(), RestError> {
    for kind in ["endpoint", "aor", "auth"] {
        match rest.send(&HttpRequest::delete(&dynamic(kind, endpoint))).await {
            Ok(_) | Err(RestError::Status { status: 404, .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn dynamic<'a>(kind: &'a str, name: &'a str) -> [&'a str; 6] {
    ["asterisk", "config", "dynamic", "res_pjsip", kind, name]
}

/// The objects of a phone, in the order in which they must be made.
fn objects(account: &PhoneAccount, media_address: Option<&str>) -> [(&'static str, Value); 3] {
    let name = account.endpoint.as_str();
    let qualify = account.qualify.to_string();
    let auth = vec![("auth_type", "digest"), ("username", name), ("password", &account.password)];
    let mut aor = vec![
        ("max_contacts", "1"),
        ("remove_existing", "yes"),
        ("qualify_frequency", &qualify),
        ("qualify_timeout", "2.0"),
        ("default_expiration", "120"),
        ("minimum_expiration", "10"),
    ];
    if let Some(contact) = &account.contact {
        aor.push(("contact", contact));
    }
    let mut endpoint = vec![
        ("context", CONTEXT),
        ("aors", name),
        ("auth", name),
        ("disallow", "all"),
        ("allow", if account.webrtc { "alaw,opus" } else { "ulaw,alaw" }),
        ("direct_media", "no"),
        ("rtp_symmetric", "yes"),
        ("force_rport", "yes"),
        ("rewrite_contact", "yes"),
        ("send_connected_line", "no"),
        ("send_pai", "yes"),
        // Transfers are the engine's business: one made by the phone behind its back would tear the call apart.
        ("allow_transfer", "no"),
        ("device_state_busy_at", "1"),
    ];
    if let Some(address) = media_address {
        endpoint.push(("media_address", address));
    }
    if account.webrtc {
        endpoint.extend([
            // With it come ICE, DTLS with a certificate of its own, rtcp-mux and one bundle.
            ("webrtc", "yes"),
            ("dtls_auto_generate_cert", "yes"),
            ("rtp_keepalive", "15"),
            // A browser that was killed says no BYE.
            ("rtp_timeout", "5"),
            ("rtp_timeout_hold", "300"),
            ("max_audio_streams", "1"),
            ("max_video_streams", "0"),
        ]);
    }
    [("auth", fields(auth)), ("aor", fields(aor)), ("endpoint", fields(endpoint))]
}

fn fields(pairs: Vec<(&str, &str)>) -> Value {
    pairs.into_iter().map(|(attribute, value)| json!({ "attribute": attribute, "value": value })).collect()
}

/// Phones that the engine put there once and that are no longer on the list (Asterisk may keep them over restarts).
async fn remove_strangers(phones: &Phones, rest: &Rest) {
    let Ok(present) = snapshot::devices(rest).await else { return };
    let candidates: Vec<String> = {
        let wanted = phones.lock();
        if !wanted.whole {
            return;
        }
        present.into_keys().filter(|name| !wanted.accounts.contains_key(name)).collect()
    };
    let mut removed = Vec::new();
    for name in candidates.into_iter().filter(|name| PhoneAccount::valid_name(name)) {
        if !ours(rest, &name).await {
            continue;
        }
        match remove_one(rest, &name).await {
            Ok(()) => removed.push(name),
            // One written in pjsip.conf cannot be removed, and should not.
            Err(error) => warn!(endpoint = %name, %error, "a phone that belongs to no agent stays in Asterisk"),
        }
    }
    if !removed.is_empty() {
        info!(endpoints = removed.join(","), "phones that belong to no agent any more were removed from Asterisk");
    }
}

/// Whether an endpoint carries our mark.
async fn ours(rest: &Rest, name: &str) -> bool {
    field(rest, name, "context").await.is_some_and(|context| context == CONTEXT)
}

/// What Asterisk has as this field of an endpoint; `None` if it does not know the endpoint.
async fn field(rest: &Rest, name: &str, attribute: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Field {
        attribute: String,
        value: String,
    }
    let request = HttpRequest::get(&dynamic("endpoint", name));
    let fields: Vec<Field> = rest.fetch(&request).await.unwrap_or_default();
    fields.into_iter().find(|field| field.attribute == attribute).map(|field| field.value)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::fake::{Answer, Fake};
    use super::*;

    fn account(endpoint: &str) -> PhoneAccount {
        PhoneAccount {
            endpoint: endpoint.to_owned(),
            password: "s3cret".to_owned(),
            webrtc: false,
            contact: None,
            qualify: 0,
        }
    }

    struct Rig {
        fake: Fake,
        phones: Arc<Phones>,
        connected: watch::Sender<u64>,
        cancel: CancellationToken,
    }

    impl Drop for Rig {
        fn drop(&mut self) {
            self.cancel.cancel();
        }
    }

    async fn rig() -> Rig {
        let fake = Fake::start().await;
        let phones = Arc::new(Phones::new(Some("10.0.0.5".to_owned())));
        let (connected, connections) = watch::channel(0);
        let cancel = CancellationToken::new();
        let rest = Rest::new(&fake.config).unwrap();
        tokio::spawn(run(phones.clone(), rest, connections, cancel.clone()));
        Rig { fake, phones, connected, cancel }
    }

    fn value_of(request: &str, attribute: &str) -> Option<String> {
        let body: Value = serde_json::from_str(request.split_once(' ')?.1.split_once(' ')?.1).ok()?;
        let fields = body.get("fields")?.as_array()?.clone();
        let field = fields.into_iter().find(|field| field["attribute"] == attribute)?;
        field["value"].as_str().map(str::to_owned)
    }

    #[tokio::test]
    async fn a_phone_is_put_whole_and_again_after_each_connection() {
        let mut rig = rig().await;
        rig.phones.set([account("agent-1")]);
        for connection in 1..=2 {
            rig.connected.send_replace(connection);
            let auth = rig.fake.request("PUT").await;
            assert!(auth.starts_with("PUT /asterisk/config/dynamic/res_pjsip/auth/agent-1 "), "{auth}");
            assert_eq!(value_of(&auth, "password").as_deref(), Some("s3cret"));
            let aor = rig.fake.request("PUT").await;
            assert!(aor.starts_with("PUT /asterisk/config/dynamic/res_pjsip/aor/agent-1 "), "{aor}");
            assert_eq!(value_of(&aor, "max_contacts").as_deref(), Some("1"));
            assert_eq!(value_of(&aor, "contact"), None);
            let endpoint = rig.fake.request("PUT").await;
            assert!(endpoint.starts_with("PUT /asterisk/config/dynamic/res_pjsip/endpoint/agent-1 "), "{endpoint}");
            for (attribute, value) in [
                ("context", "perezvon-agent"),
                ("allow", "ulaw,alaw"),
                ("direct_media", "no"),
                ("rewrite_contact", "yes"),
                ("media_address", "10.0.0.5"),
            ] {
                assert_eq!(value_of(&endpoint, attribute).as_deref(), Some(value));
            }
        }
    }

    #[tokio::test]
    async fn changes_take_effect_at_once_and_what_does_not_change_is_left_alone() {
        let mut rig = rig().await;
        rig.phones.set([account("agent-1"), account("agent-2")]);
        rig.connected.send_replace(1);
        for _ in 0..6 {
            rig.fake.request("PUT").await;
        }
        rig.phones.set([account("agent-2"), PhoneAccount { webrtc: true, ..account("agent-3") }]);
        let auth = rig.fake.request("PUT").await;
        assert!(auth.contains("/auth/agent-3 "), "{auth}");
        let endpoint = rig.fake.request("PUT /asterisk/config/dynamic/res_pjsip/endpoint").await;
        assert_eq!(value_of(&endpoint, "webrtc").as_deref(), Some("yes"));
        for kind in ["endpoint", "aor", "auth"] {
            let removed = rig.fake.request("DELETE").await;
            assert_eq!(removed, format!("DELETE /asterisk/config/dynamic/res_pjsip/{kind}/agent-1"));
        }
        rig.phones.remove("agent-2");
        let removed = rig.fake.request("").await;
        assert_eq!(removed, "DELETE /asterisk/config/dynamic/res_pjsip/endpoint/agent-2");
    }

    #[tokio::test]
    async fn a_phone_of_another_kind_is_made_anew() {
        let mut rig = rig().await;
        rig.fake.answer(|request| match request {
            "GET /asterisk/config/dynamic/res_pjsip/endpoint/agent-1" => {
                Some(Answer::new(200, r#"[{"attribute":"webrtc","value":"yes"}]"#))
            }
            _ => None,
        });
        rig.phones.put(account("agent-1"));
        rig.connected.send_replace(1);
        for kind in ["endpoint", "aor", "auth"] {
            let removed = rig.fake.request("DELETE").await;
            assert_eq!(removed, format!("DELETE /asterisk/config/dynamic/res_pjsip/{kind}/agent-1"));
        }
        assert!(rig.fake.request("PUT").await.contains("/auth/agent-1 "));
    }

    #[tokio::test]
    async fn only_phones_with_our_mark_that_nobody_wants_are_removed() {
        let mut rig = rig().await;
        rig.fake.answer(|request| match request {
            "GET /endpoints/PJSIP" => Some(Answer::new(
                200,
                r#"[{"resource":"agent-1"},{"resource":"old"},{"resource":"trunk"},{"resource":"Odd_Name"}]"#,
            )),
            "GET /asterisk/config/dynamic/res_pjsip/endpoint/old" => {
                Some(Answer::new(200, r#"[{"attribute":"context","value":"perezvon-agent"}]"#))
            }
            "GET /asterisk/config/dynamic/res_pjsip/endpoint/trunk" => {
                Some(Answer::new(200, r#"[{"attribute":"context","value":"perezvon-inbound"}]"#))
            }
            _ => None,
        });
        rig.phones.set([account("agent-1")]);
        rig.connected.send_replace(1);
        for kind in ["endpoint", "aor", "auth"] {
            let removed = rig.fake.request("DELETE").await;
            assert_eq!(removed, format!("DELETE /asterisk/config/dynamic/res_pjsip/{kind}/old"));
        }
        // The next writing request is about a phone that is wanted.
        assert!(rig.fake.request("PUT").await.contains("/auth/agent-1 "));
    }

    #[tokio::test]
    async fn a_name_or_password_that_could_break_the_configuration_never_goes_in() {
        let mut rig = rig().await;
        let bad = [
            account("Agent-1"),
            account("agent 1"),
            account(""),
            account("../aor"),
            account(&"a".repeat(41)),
            PhoneAccount { password: "a\nb".to_owned(), ..account("agent-1") },
            PhoneAccount { password: String::new(), ..account("agent-2") },
            PhoneAccount { contact: Some("sip:a,sip:b".to_owned()), ..account("agent-3") },
        ];
        assert!(bad.iter().all(|account| account.fault().is_some()));
        rig.connected.send_replace(1);
        rig.phones.set(bad);
        rig.phones.put(account("agent-9"));
        assert!(rig.fake.request("PUT").await.contains("/auth/agent-9 "));
        assert!(!format!("{:?}", account("agent-1")).contains("s3cret"));
    }

    #[tokio::test]
    async fn a_phone_that_could_not_be_put_is_tried_again() {
        let phones = Phones::new(None);
        phones.set([account("agent-1")]);
        let fake = Fake::start().await;
        fake.answer(|_| Some(Answer::refusal(500, "busy")));
        let rest = Rest::new(&fake.config).unwrap();
        assert!(!bring_in_line(&phones, &rest).await);
        fake.answer(|_| None);
        assert!(bring_in_line(&phones, &rest).await);
        assert_eq!(phones.work(), (Vec::new(), Vec::new()));
        // What Asterisk will never take is reported once and not tried for ever.
        phones.put(account("agent-2"));
        fake.answer(|_| Some(Answer::refusal(403, "Could not create the object")));
        assert!(bring_in_line(&phones, &rest).await);
    }
}
