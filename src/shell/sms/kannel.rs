//! Kannel's `sendsms` (its user guide, chapter 6, "Setting up a SendSMS user"): a request for each SMS; smsbox cuts and
//! counts, and reports about the whole by `dlr-url`.

use reqwest::{Client, StatusCode, Url};

use crate::domain::sms::{Encoding, SmsState};
use crate::shell::store::Secret;

use super::gateway::{self, in_query};
use super::provider::{Accepted, Failure, Outgoing};

/// Which reports are wanted: 1 delivered, 2 not delivered, 16 refused by the network.
const REPORTS: u8 = 1 | 2 | 16;

/// A Kannel.
#[derive(Clone, Debug)]
pub struct Kannel {
    /// Where `sendsms` is: `http://127.0.0.1:13013/cgi-bin/sendsms`.
    pub url: Url,
    /// Of the group `sendsms-user`.
    pub username: String,
    /// Of the same.
    pub password: Secret,
    /// The sender that clients see; none: Kannel's `global-sender`.
    pub from: Option<String>,
    /// Where its reports go; `{reference}`, then Kannel's `%d`, are put at the end. None: no reports.
    pub reports: Option<String>,
    /// The connections.
    pub client: Client,
}

impl Kannel {
    fn query(&self, sms: &Outgoing) -> String {
        let mut query = format!(
            "username={}&password={}&to={}&text={}&charset=UTF-8&coding={}",
            in_query(&self.username),
            in_query(self.password.reveal()),
            in_query(&sms.to),
            in_query(&sms.text),
            match sms.segments.encoding {
                Encoding::Gsm7 => 0,
                Encoding::Ucs2 => 2,
            },
        );
        // Whole minutes that the network may try for.
        let minutes = (sms.valid.as_secs() / 60).max(1);
        query.push_str(&format!("&validity={minutes}"));
        if let Some(from) = &self.from {
            query.push_str(&format!("&from={}", in_query(from)));
        }
        if let Some(reports) = &self.reports {
            let url = format!("{reports}?reference={}&state=%d", in_query(&sms.reference));
            query.push_str(&format!("&dlr-mask={REPORTS}&dlr-url={}", in_query(&url)));
        }
        query
    }

    pub(super) async fn send(&self, sms: &Outgoing) -> Result<Accepted, Failure> {
        let mut url = self.url.clone();
        url.set_query(Some(&self.query(sms)));
        let answer = gateway::ask(self.client.get(url)).await?;
        if answer.status.is_success() {
            let references = self.reports.iter().map(|_| sms.reference.clone()).collect();
            return Ok(Accepted { references });
        }
        let told = answer.told();
        // Wrong log-ins and refused numbers are both 403; only the words tell them apart (gw/smsbox.c).
        Err(match answer.status {
            StatusCode::FORBIDDEN if answer.body.contains("Authorization failed") => {
                Failure::for_now(format!("{told}: check username and password, and user-allow-ip of its sendsms-user"))
            }
            StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST => Failure::for_good(told),
            _ => Failure::for_now(told),
        })
    }

    pub(super) async fn probe(&self) -> Result<String, String> {
        // Without a text and a number nothing is sent, but the log-in is looked at.
        let mut url = self.url.clone();
        let (user, password) = (in_query(&self.username), in_query(self.password.reveal()));
        url.set_query(Some(&format!("username={user}&password={password}")));
        let answer = gateway::ask(self.client.get(url)).await.map_err(|failure| failure.error)?;
        match answer.status {
            StatusCode::FORBIDDEN => Err(format!("{}: check username and password", answer.told())),
            StatusCode::NOT_FOUND => Err(format!("{}: the url must end with /cgi-bin/sendsms", answer.told())),
            _ => Ok("Kannel answers".to_owned()),
        }
    }
}

/// What a state that Kannel reports means (its user guide, section "Delivery reports").
pub fn state(code: &str) -> Option<SmsState> {
    match code {
        "1" => Some(SmsState::Delivered),
        "2" | "16" => Some(SmsState::Failed),
        _ => None,
    }
}
