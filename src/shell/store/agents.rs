//! Agents: what people edit (`agents`) joined with what the journal knows (`agent_state`).

use std::collections::{BTreeMap, BTreeSet};

use sqlx::any::AnyRow;

use crate::engine::ids::{AgentId, NodeId};
use crate::engine::settings::AgentProfile;
use crate::engine::time::Wall;
use crate::engine::view::{PauseReason, Status};

use super::users::UserId;
use super::{Columns as _, Result, Secret, Sql, Store, StoreError, random_secret};

/// What an agent telephones with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PhoneKind {
    /// A telephone or softphone that registers by itself.
    #[default]
    Desk,
    /// The console in the browser.
    Browser,
}

impl PhoneKind {
    /// The word that the database and the API use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            PhoneKind::Desk => "desk",
            PhoneKind::Browser => "browser",
        }
    }

    /// The kind that [`as_str`](Self::as_str) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<PhoneKind> {
        [PhoneKind::Desk, PhoneKind::Browser].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// An agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentRow {
    /// Number of the row.
    pub id: AgentId,
    /// Name to show.
    pub name: String,
    /// PJSIP endpoint of the phone.
    pub endpoint: String,
    /// With which the phone registers.
    pub sip_password: Secret,
    /// What kind of phone it is.
    pub phone: PhoneKind,
    /// On which Asterisk the phone registers.
    pub node: NodeId,
    /// Queues served, by name; empty for all.
    pub queues: BTreeSet<String>,
    /// Skills with their levels, 1 to 10.
    pub skills: BTreeMap<String, u8>,
    /// The console user who works as this agent.
    pub user: Option<UserId>,
    /// Takes no part any more; kept for the history.
    pub disabled: bool,
    /// Last declared status.
    pub status: Status,
    /// Since when.
    pub status_since: Wall,
    /// Since when idle.
    pub idle_since: Wall,
    /// Calls taken since the last log-in.
    pub calls_taken: u32,
    /// Grows with every edit.
    pub version: i64,
}

/// An agent to add.
#[derive(Clone, Debug)]
pub struct NewAgent {
    /// Name to show.
    pub name: String,
    /// PJSIP endpoint: letters, digits, `-` and `_`.
    pub endpoint: String,
    /// A random one is made when none is given.
    pub sip_password: Option<String>,
    /// What kind of phone it is.
    pub phone: PhoneKind,
    /// On which Asterisk.
    pub node: NodeId,
    /// Queues served; empty for all.
    pub queues: BTreeSet<String>,
    /// Skills with their levels, 1 to 10.
    pub skills: BTreeMap<String, u8>,
}

/// What to change of an agent; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct AgentChange {
    /// Name to show.
    pub name: Option<String>,
    /// PJSIP endpoint.
    pub endpoint: Option<String>,
    /// With which the phone registers.
    pub sip_password: Option<String>,
    /// What kind of phone it is.
    pub phone: Option<PhoneKind>,
    /// On which Asterisk.
    pub node: Option<NodeId>,
    /// Queues served.
    pub queues: Option<BTreeSet<String>>,
    /// Skills with their levels.
    pub skills: Option<BTreeMap<String, u8>>,
    /// Takes no part any more.
    pub disabled: Option<bool>,
}

/// One change of an agent's status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusChange {
    /// When.
    pub at: Wall,
    /// To what.
    pub status: Status,
    /// `engine`, `agent`, `person` or `program`.
    pub actor_kind: String,
    /// Which of them.
    pub actor_name: String,
}

const SELECT: &str = "SELECT a.id, a.name, a.endpoint, a.sip_password, a.phone, a.node, a.queues, a.skills, a.disabled, \
     a.created_at, a.version, s.status, s.reason, s.status_at, s.idle_at, s.calls_taken, u.id AS user_id \
     FROM agents a LEFT JOIN agent_state s ON s.agent = a.id LEFT JOIN users u ON u.agent = a.id ";

impl Store {
    /// All agents by name, the disabled ones too.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_agents(&self) -> Result<Vec<AgentRow>> {
        let rows = self.rows(Sql::new(format!("{SELECT} ORDER BY a.name, a.id"))).await?;
        rows.iter().map(agent).collect()
    }

    /// One agent.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn get_agent(&self, id: AgentId) -> Result<Option<AgentRow>> {
        let row = self.row(Sql::new(format!("{SELECT} WHERE a.id = $1")).with(i64::from(id.0))).await?;
        row.as_ref().map(agent).transpose()
    }

    /// What the core wants to know of each agent that is not disabled.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn profiles(&self) -> Result<Vec<AgentProfile>> {
        let agents = self.list_agents().await?;
        Ok(agents.into_iter().filter(|agent| !agent.disabled).map(AgentRow::into_profile).collect())
    }

    /// Adds an agent.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when the endpoint is in use, [`StoreError::Invalid`] when something cannot be so.
    pub async fn add_agent(&self, new: NewAgent, now: Wall) -> Result<AgentRow> {
        check_name(&new.name)?;
        check_endpoint(&new.endpoint)?;
        check_skills(&new.skills)?;
        let password = new.sip_password.unwrap_or_else(phone_password);
        check_password(&password)?;
        let sql = Sql::new(
            "INSERT INTO agents (name, endpoint, sip_password, phone, node, queues, skills, disabled, created_at, version) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, 1) RETURNING id",
        )
        .with(new.name)
        .with(new.endpoint)
        .with(password)
        .with(new.phone.as_str())
        .with(i64::from(new.node.0))
        .with(json(&new.queues)?)
        .with(json(&new.skills)?)
        .with(now.0);
        let rows = self.write_returning(sql).await?;
        let id = rows.first().ok_or(StoreError::NotFound("agent"))?.small("id")?;
        self.get_agent(AgentId(id)).await?.ok_or(StoreError::NotFound("agent"))
    }

    /// Changes an agent. With `version` given, only if nobody else changed it since.
    ///
    /// # Errors
    /// [`StoreError::Stale`], [`StoreError::NotFound`], [`StoreError::Taken`] or [`StoreError::Invalid`].
    pub async fn update_agent(&self, id: AgentId, version: Option<i64>, change: AgentChange) -> Result<AgentRow> {
        change.name.as_deref().map(check_name).transpose()?;
        change.endpoint.as_deref().map(check_endpoint).transpose()?;
        change.sip_password.as_deref().map(check_password).transpose()?;
        change.skills.as_ref().map(check_skills).transpose()?;
        let sql = Sql::new(
            "UPDATE agents SET name = COALESCE($1, name), endpoint = COALESCE($2, endpoint), \
             sip_password = COALESCE($3, sip_password), node = COALESCE($4, node), queues = COALESCE($5, queues), \
             skills = COALESCE($6, skills), disabled = COALESCE($7, disabled), \
             phone = COALESCE($8, phone), version = version + 1 \
             WHERE id = $9 AND version = COALESCE($10, version)",
        )
        .with(change.name)
        .with(change.endpoint)
        .with(change.sip_password)
        .with(change.node.map(|node| i64::from(node.0)))
        .with(change.queues.as_ref().map(json).transpose()?)
        .with(change.skills.as_ref().map(json).transpose()?)
        .with(change.disabled.map(i64::from))
        .with(change.phone.map(PhoneKind::as_str))
        .with(i64::from(id.0))
        .with(version);
        let changed = self.execute(sql).await?;
        let agent = self.get_agent(id).await?.ok_or(StoreError::NotFound("agent"))?;
        if changed == 0 { Err(StoreError::Stale { now: agent.version }) } else { Ok(agent) }
    }

    /// The last changes of an agent's status, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn status_history(&self, id: AgentId, limit: u32) -> Result<Vec<StatusChange>> {
        let sql = Sql::new(
            "SELECT at, status, reason, actor_kind, actor_name FROM agent_status_log WHERE agent = $1 \
             ORDER BY at DESC LIMIT $2",
        )
        .with(i64::from(id.0))
        .with(i64::from(limit.clamp(1, super::page::MOST)));
        let rows = self.rows(sql).await?;
        rows.iter()
            .map(|row| {
                Ok(StatusChange {
                    at: Wall(row.int("at")?),
                    status: parse_status(&row.text("status")?, &row.text("reason")?)?,
                    actor_kind: row.text("actor_kind")?,
                    actor_name: row.text("actor_name")?,
                })
            })
            .collect()
    }
}

impl AgentRow {
    /// What the core wants to know.
    #[must_use]
    pub fn into_profile(self) -> AgentProfile {
        AgentProfile {
            agent: self.id,
            name: self.name,
            endpoint: self.endpoint,
            node: self.node,
            queues: self.queues,
            skills: self.skills,
            status: self.status,
            idle_since: self.idle_since,
            calls_taken: self.calls_taken,
        }
    }
}

fn agent(row: &AnyRow) -> Result<AgentRow> {
    let created = row.int("created_at")?;
    let status = match row.text_opt("status")? {
        Some(word) => parse_status(&word, &row.text_opt("reason")?.unwrap_or_default())?,
        None => Status::Offline,
    };
    Ok(AgentRow {
        id: AgentId(row.small("id")?),
        name: row.text("name")?,
        endpoint: row.text("endpoint")?,
        sip_password: row.text("sip_password")?.into(),
        phone: parse_phone(&row.text("phone")?)?,
        node: NodeId(row.small("node")?),
        queues: from_json(&row.text("queues")?)?,
        skills: from_json(&row.text("skills")?)?,
        user: row.int_opt("user_id")?.map(UserId),
        disabled: row.flag("disabled")?,
        status,
        status_since: Wall(row.int_opt("status_at")?.unwrap_or(created)),
        idle_since: Wall(row.int_opt("idle_at")?.unwrap_or(created)),
        calls_taken: row.small_opt("calls_taken")?.unwrap_or(0),
        version: row.int("version")?,
    })
}

fn parse_phone(word: &str) -> Result<PhoneKind> {
    PhoneKind::parse(word).ok_or_else(|| StoreError::Unreadable(format!("phone {word:?}")))
}

/// A status as two words: what, and why.
pub(super) fn status_words(status: &Status) -> (&'static str, &str) {
    match status {
        Status::Ready => ("ready", ""),
        Status::Pause(reason) => ("pause", reason.as_str()),
        Status::Offline => ("offline", ""),
    }
}

fn parse_status(word: &str, reason: &str) -> Result<Status> {
    match word {
        "ready" => Ok(Status::Ready),
        "pause" => Ok(Status::Pause(PauseReason::parse(reason))),
        "offline" => Ok(Status::Offline),
        _ => Err(StoreError::Unreadable(format!("status {word:?}"))),
    }
}

pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Invalid(error.to_string()))
}

pub(super) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| StoreError::Unreadable(format!("{text:?}: {error}")))
}

/// For a phone that is set up with what the engine chose. Some (SIPp is one) take what begins with `0x` for a number in
/// hexadecimal, and with another password a registration is refused.
fn phone_password() -> String {
    loop {
        let password = random_secret::<18>();
        if !password.starts_with("0x") {
            return password;
        }
    }
}

fn check_name(name: &str) -> Result<()> {
    let fits = !name.trim().is_empty() && name.chars().count() <= 100 && !name.chars().any(char::is_control);
    rule(fits, "a name has 1 to 100 letters and no control characters")
}

/// The endpoint and the password go into Asterisk's configuration, where other letters have a meaning.
fn check_endpoint(endpoint: &str) -> Result<()> {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let fits = (1..=40).contains(&endpoint.len()) && endpoint.bytes().all(letters);
    rule(fits, "an endpoint has 1 to 40 letters a-z, digits, - or _")
}

fn check_password(password: &str) -> Result<()> {
    let fits =
        (8..=80).contains(&password.len()) && password.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';');
    rule(fits, "a SIP password has 8 to 80 visible ASCII characters without ;")
}

fn check_skills(skills: &BTreeMap<String, u8>) -> Result<()> {
    rule(skills.values().all(|level| (1..=10).contains(level)), "the level of a skill is 1 to 10")
}

fn rule(fits: bool, text: &str) -> Result<()> {
    if fits { Ok(()) } else { Err(StoreError::Invalid(text.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::super::testing::on_both;
    use super::*;

    fn masha() -> NewAgent {
        NewAgent {
            name: "Маша".into(),
            endpoint: "agent-101".into(),
            sip_password: None,
            phone: PhoneKind::Browser,
            node: NodeId(0),
            queues: BTreeSet::from(["main".into()]),
            skills: BTreeMap::from([("english".into(), 7)]),
        }
    }

    #[tokio::test]
    async fn an_agent_is_read_back_as_added_and_gets_a_password() {
        on_both(async |t| {
            let added = t.store.add_agent(masha(), Wall(5)).await.unwrap();
            assert_eq!(added.sip_password.reveal().len(), 24);
            assert_eq!((&added.skills, added.phone), (&masha().skills, PhoneKind::Browser));
            assert_eq!((added.status.clone(), added.idle_since), (Status::Offline, Wall(5)));
            assert_eq!(t.store.list_agents().await.unwrap(), vec![added.clone()]);
            assert_eq!(t.store.profiles().await.unwrap(), vec![added.into_profile()]);
        })
        .await;
    }

    #[tokio::test]
    async fn two_agents_cannot_have_one_endpoint() {
        on_both(async |t| {
            t.store.add_agent(masha(), Wall(5)).await.unwrap();
            let error = t.store.add_agent(masha(), Wall(6)).await.unwrap_err();
            assert!(matches!(&error, StoreError::Taken(what) if what == "endpoint"), "{error}");
        })
        .await;
    }

    #[tokio::test]
    async fn an_edit_over_an_older_version_is_refused_and_changes_nothing() {
        on_both(async |t| {
            let id = t.store.add_agent(masha(), Wall(5)).await.unwrap().id;
            let rename = |name: &str| AgentChange { name: Some(name.into()), ..AgentChange::default() };
            let first = t.store.update_agent(id, Some(1), rename("Мария")).await.unwrap();
            assert_eq!((first.name.as_str(), first.version), ("Мария", 2));
            let second = t.store.update_agent(id, Some(1), rename("Глаша")).await.unwrap_err();
            assert!(matches!(second, StoreError::Stale { now: 2 }), "{second}");
            let nobody = t.store.update_agent(AgentId(99), None, rename("Никто")).await.unwrap_err();
            assert!(matches!(nobody, StoreError::NotFound("agent")), "{nobody}");
            let desk = AgentChange { phone: Some(PhoneKind::Desk), ..AgentChange::default() };
            assert_eq!(t.store.update_agent(id, None, desk).await.unwrap().phone, PhoneKind::Desk);
            let off = AgentChange { disabled: Some(true), ..AgentChange::default() };
            assert!(t.store.update_agent(id, None, off).await.unwrap().disabled);
            assert_eq!(t.store.profiles().await.unwrap(), vec![]);
        })
        .await;
    }

    #[tokio::test]
    async fn what_would_break_the_configuration_of_asterisk_is_refused() {
        let t = super::super::testing::sqlite().await;
        for endpoint in ["", "a b", "a;b", "a\nb", "a/b", "агент"] {
            let error =
                t.store.add_agent(NewAgent { endpoint: endpoint.into(), ..masha() }, Wall(5)).await.unwrap_err();
            assert!(matches!(error, StoreError::Invalid(_)), "{endpoint:?}: {error}");
        }
        let weak = NewAgent { sip_password: Some("12;34567890".into()), ..masha() };
        assert!(matches!(t.store.add_agent(weak, Wall(5)).await, Err(StoreError::Invalid(_))));
    }
}
