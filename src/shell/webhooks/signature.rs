//! How messages are signed, after the Standard Webhooks specification (standardwebhooks.com): HMAC-SHA256 of id, moment
//! and body. The moment of the attempt is signed with the rest, so that a receiver can refuse what somebody recorded and
//! sends again; the id stays the same in every attempt, so that it can refuse what it has taken already.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// Header with the message's id.
pub const ID: &str = "webhook-id";
/// Header with the moment of the attempt, seconds since 1970.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// Header with the signature: `v1,` and base64.
pub const SIGNATURE: &str = "webhook-signature";

/// The value of [`SIGNATURE`]; none when the secret is not `whsec_` and base64, which no secret of ours is.
#[must_use]
pub fn sign(secret: &str, id: &str, seconds: i64, body: &str) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body.as_bytes());
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the reference implementations.
    #[test]
    fn the_signature_is_that_of_the_specification() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signed = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        assert_eq!(sign("MfKQ9r8", "a", 1, ""), None);
    }
}
