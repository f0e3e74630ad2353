//! As much of SIP as telephones in a benchmark need.

use std::fmt::Write as _;
use std::net::SocketAddr;

/// A message as it came.
#[derive(Clone, Copy)]
pub struct Message<'a>(&'a str);

impl<'a> Message<'a> {
    pub fn read(datagram: &'a [u8]) -> Option<Message<'a>> {
        std::str::from_utf8(datagram).ok().map(Message)
    }

    fn first_line(self) -> &'a str {
        self.0.split("\r\n").next().unwrap_or_default()
    }

    /// The status of a response; `None` for a request.
    pub fn status(self) -> Option<u16> {
        self.first_line().strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
    }

    /// The method of a request.
    pub fn method(self) -> &'a str {
        self.first_line().split(' ').next().unwrap_or_default()
    }

    /// The method that a response answers, or a request is.
    pub fn of_method(self) -> &'a str {
        self.header("CSeq").split(' ').nth(1).unwrap_or_default()
    }

    /// The user in the address that a request is for.
    pub fn called(self) -> &'a str {
        user(self.first_line().split(' ').nth(1).unwrap_or_default())
    }

    /// The values of all headers of this name.
    pub fn headers(self, name: &'static str) -> impl Iterator<Item = &'a str> {
        self.0.split("\r\n").skip(1).take_while(|line| !line.is_empty()).filter_map(move |line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The value of a header, or nothing.
    pub fn header(self, name: &'static str) -> &'a str {
        self.headers(name).next().unwrap_or_default()
    }

    /// The port at which the sender hears; 0 when it does not say.
    pub fn media_port(self) -> u16 {
        let line = self.0.split("\r\n").find_map(|line| line.strip_prefix("m=audio "));
        line.and_then(|line| line.split(' ').next()?.parse().ok()).unwrap_or_default()
    }

    /// A response to this request. `tag` makes the dialog ours.
    pub fn response(self, status: &str, tag: &str, contact: Option<&str>, sdp: Option<&str>) -> String {
        let mut text = format!("SIP/2.0 {status}\r\n");
        for via in self.headers("Via") {
            line(&mut text, "Via", via);
        }
        line(&mut text, "From", self.header("From"));
        line(&mut text, "To", &tagged(self.header("To"), tag));
        line(&mut text, "Call-ID", self.header("Call-ID"));
        line(&mut text, "CSeq", self.header("CSeq"));
        finish(text, contact, sdp)
    }
}

/// The user of `<sip:user@host>` or `sip:user@host`.
pub fn user(address: &str) -> &str {
    let from = address.find("sip:").map_or(0, |at| at + 4);
    let rest = address.get(from..).unwrap_or_default();
    rest.split(['@', '>', ';']).next().unwrap_or_default()
}

/// The address between `<` and `>`.
pub fn target(contact: &str) -> &str {
    contact.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(contact, |(inner, _)| inner)
}

/// A party's header with a tag, its own if it has one.
pub fn tagged(party: &str, tag: &str) -> String {
    if tag.is_empty() || party.contains(";tag=") { party.to_owned() } else { format!("{party};tag={tag}") }
}

/// One side of a conversation.
#[derive(Clone, Debug)]
pub struct Dialog {
    pub call_id: String,
    /// Our address with our tag.
    pub local: String,
    /// Theirs.
    pub remote: String,
    /// Where requests go.
    pub target: String,
}

impl Dialog {
    /// A request of ours. `branch` names the transaction.
    pub fn request(
        &self,
        method: &str,
        cseq: u32,
        here: SocketAddr,
        branch: &str,
        contact: Option<&str>,
        sdp: Option<&str>,
    ) -> String {
        let mut text = format!("{method} {} SIP/2.0\r\n", self.target);
        line(&mut text, "Via", &format!("SIP/2.0/UDP {here};branch=z9hG4bK{branch}"));
        line(&mut text, "From", &self.local);
        line(&mut text, "To", &self.remote);
        line(&mut text, "Call-ID", &self.call_id);
        line(&mut text, "CSeq", &format!("{cseq} {method}"));
        line(&mut text, "Max-Forwards", "70");
        finish(text, contact, sdp)
    }
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = write!(text, "{name}: {value}\r\n");
}

fn finish(mut text: String, contact: Option<&str>, sdp: Option<&str>) -> String {
    if let Some(contact) = contact {
        line(&mut text, "Contact", contact);
    }
    if sdp.is_some() {
        line(&mut text, "Content-Type", "application/sdp");
    }
    let body = sdp.unwrap_or_default();
    let _ = write!(text, "Content-Length: {}\r\n\r\n{body}", body.len());
    text
}
