//! Who asks, and may they? One guard before every handler, driven by the table of routes.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::domain::contact::Person;
use crate::engine::event::Actor;
use crate::engine::ids::AgentId;
use crate::shell::clock;
use crate::shell::store::StoreError;
use crate::shell::store::notifications::persons;
use crate::shell::store::sessions::{ApiKeyRow, SessionRow};
use crate::shell::store::users::{Role, UserId};

use super::WebState;
use super::problem::Problem;
use super::routes::{DRIVERS, scope};

/// Name of the session's cookie.
pub(super) const COOKIE: &str = "perezvon_session";

/// A session that was looked up this recently is not looked up again.
const FRESH: Duration = Duration::from_secs(5);
/// The last use of a key is noted this often.
const NOTED: Duration = Duration::from_secs(60);
/// While the database does not answer, a session known this recently is still good.
const STALE: Duration = Duration::from_secs(300);
/// Sessions remembered at most.
const MOST: usize = 10_000;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Anybody on this machine; others as [`Access::Role`] of a supervisor.
    Local,
    /// A logged-in person, not a program.
    Person,
    /// A person with at least this role. Programs with the route's scope count as supervisors.
    Role(Role),
}

/// What the guard asks of a request: the row of the table.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    pub(super) access: Access,
    /// First part of the scope: `calls`.
    pub(super) section: &'static str,
    /// Scopes that let a program in as well.
    pub(super) also: &'static [&'static str],
}

/// Who asks. Holds secrets: not for logs.
#[derive(Clone)]
pub(super) struct Identity {
    pub(super) who: Who,
    pub(super) role: Role,
    /// From where.
    pub(super) address: IpAddr,
}

/// A person or a program.
#[derive(Clone)]
pub(super) enum Who {
    Person {
        id: UserId,
        login: String,
        agent: Option<AgentId>,
        token: String,
        second_factor: bool,
        /// Has fewer rights for want of a second factor.
        held_back: bool,
    },
    /// `driver`: let in as a driver's terminal, by nothing but the scope for those.
    Program { name: String, key: String, driver: bool },
}

impl Identity {
    /// Whom the engine is told. An agent acts as one: the engine sees to it that only own calls are touched.
    pub(super) fn actor(&self) -> Result<Actor, Problem> {
        match &self.who {
            Who::Person { .. } if self.role == Role::Agent => Ok(Actor::Agent(self.own_agent()?)),
            Who::Person { .. } | Who::Program { .. } => Ok(self.named()),
        }
    }

    /// Whom the audit is told.
    pub(super) fn named(&self) -> Actor {
        match &self.who {
            Who::Person { login, .. } => Actor::Person(login.clone()),
            Who::Program { name, .. } => Actor::Program(name.clone()),
        }
    }

    /// A name that is one person's or program's only.
    pub(super) fn key(&self) -> String {
        match &self.who {
            Who::Person { id, .. } => format!("user:{}", id.0),
            Who::Program { name, .. } => format!("key:{name}"),
        }
    }

    /// The agent that this person works as.
    pub(super) fn agent(&self) -> Option<AgentId> {
        match &self.who {
            Who::Person { agent, .. } => *agent,
            Who::Program { .. } => None,
        }
    }

    /// The agent that this person works as, or why not.
    pub(super) fn own_agent(&self) -> Result<AgentId, Problem> {
        self.agent().ok_or_else(|| {
            Problem::forbidden("this login takes no calls: an administrator can link it with an agent")
                .in_russian("Этот логин не принимает звонков. Администратор может связать его с диспетчером.")
        })
    }

    /// The same human by every number under which contacts know people; none for programs.
    pub(super) fn persons(&self) -> Vec<Person> {
        match &self.who {
            Who::Person { id, agent, .. } => persons(*id, *agent),
            Who::Program { .. } => Vec::new(),
        }
    }

    /// Sees everybody's calls.
    pub(super) fn sees_all(&self) -> bool {
        self.role >= Role::Supervisor
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Identity {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        // The guard puts it there; without it there is no way in.
        parts.extensions.get::<Identity>().cloned().ok_or_else(Problem::unauthorized)
    }
}

/// The client's address, for handlers that anybody may use.
pub(super) struct Address(pub(super) IpAddr);

impl FromRequestParts<WebState> for Address {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        Ok(Address(address(&parts.headers, peer(&parts.extensions), &state.config.trusted_proxies)))
    }
}

/// Sessions that were looked up a moment ago.
#[derive(Default)]
pub(super) struct Known {
    sessions: Mutex<BTreeMap<String, (SessionRow, Instant)>>,
    /// API keys whose use was noted, and when.
    used: Mutex<BTreeMap<i64, Instant>>,
}

impl Known {
    /// After a change of users or a log-out: everything is looked up again.
    pub(super) fn forget(&self) {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn get(&self, token: &str, age: Duration) -> Option<SessionRow> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let (session, at) = sessions.get(token)?;
        (at.elapsed() < age && session.expires > clock::wall()).then(|| session.clone())
    }

    /// A key is being used: is that to be noted? There are as many entries as keys at most.
    fn is_news(&self, key: i64) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let news = used.get(&key).is_none_or(|at| at.elapsed() >= NOTED);
        if news {
            used.insert(key, Instant::now());
        }
        news
    }

    fn put(&self, token: &str, session: &SessionRow) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() >= MOST {
            sessions.retain(|_, (_, at)| at.elapsed() < FRESH);
        }
        if sessions.len() < MOST {
            sessions.insert(token.to_owned(), (session.clone(), Instant::now()));
        }
    }
}

/// Lets those in who may, with their [`Identity`].
pub(super) async fn guard(
    State((state, rule)): State<(WebState, Rule)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let address = address(request.headers(), peer(request.extensions()), &state.config.trusted_proxies);
    let open = match rule.access {
        Access::Public => true,
        // A proxy on this machine that is not configured as ours must not open this to the world.
        Access::Local => address.to_canonical().is_loopback() && !request.headers().contains_key("x-forwarded-for"),
        Access::Person | Access::Role(_) => false,
    };
    if !open {
        let identity = identify(&state, request.method(), request.headers(), address, rule).await?;
        permit(&identity, rule)?;
        request.extensions_mut().insert(identity);
    }
    Ok(next.run(request).await)
}

async fn identify(
    state: &WebState,
    method: &Method,
    headers: &HeaderMap,
    address: IpAddr,
    rule: Rule,
) -> Result<Identity, Problem> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let key = value.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).map(str::trim);
        let key = key.ok_or_else(Problem::unauthorized)?;
        let row = state.store.api_key(key).await?.ok_or_else(Problem::unauthorized)?;
        note_use(state, row.id, address);
        let own = in_scope(&row, rule, method)?;
        return Ok(Identity {
            who: Who::Program { name: row.name, key: key.to_owned(), driver: !own && rule.also.contains(&DRIVERS) },
            role: Role::Supervisor,
            address,
        });
    }
    let token = cookie(headers).ok_or_else(Problem::unauthorized)?;
    own_origin(method, headers)?;
    let session = session(state, token).await?.ok_or_else(Problem::unauthorized)?;
    let user = session.user;
    let held_back = state.config.require_second_factor && user.role > Role::Agent && !user.second_factor;
    let who = Who::Person {
        id: user.id,
        login: user.login,
        agent: user.agent,
        token: token.to_owned(),
        second_factor: user.second_factor,
        held_back,
    };
    let role = if held_back { Role::Agent } else { user.role };
    Ok(Identity { who, role, address })
}

/// The session of a token. The database is asked every few seconds only, and when it does not answer those who were
/// at work stay at work.
pub(super) async fn session(state: &WebState, token: &str) -> Result<Option<SessionRow>, Problem> {
    if let Some(session) = state.known.get(token, FRESH) {
        return Ok(Some(session));
    }
    match state.store.session(token, clock::wall()).await {
        Ok(Some(session)) => {
            state.known.put(token, &session);
            Ok(Some(session))
        }
        Ok(None) => Ok(None),
        Err(StoreError::Unavailable(why)) => match state.known.get(token, STALE) {
            Some(session) => Ok(Some(session)),
            None => Err(StoreError::Unavailable(why).into()),
        },
        Err(error) => Err(error.into()),
    }
}

/// Is this one still let in? For what lasts longer than a request.
pub(super) async fn still_known(state: &WebState, identity: &Identity) -> Result<bool, Problem> {
    match &identity.who {
        Who::Person { token, .. } => Ok(session(state, token).await?.is_some()),
        Who::Program { key, .. } => Ok(state.store.api_key(key).await?.is_some()),
    }
}

fn permit(identity: &Identity, rule: Rule) -> Result<(), Problem> {
    let least = match (rule.access, &identity.who) {
        (Access::Public, _) => return Ok(()),
        (Access::Person, Who::Person { .. }) => Role::Agent,
        (Access::Person, Who::Program { .. }) => {
            return Err(Problem::forbidden("this is for people who are logged in, not for programs"));
        }
        (Access::Local, _) => Role::Supervisor,
        (Access::Role(least), _) => least,
    };
    if identity.role < least {
        let role = match least {
            Role::Agent => "диспетчер",
            Role::Supervisor => "старший диспетчер",
            Role::Administrator => "администратор",
        };
        return Err(Problem::forbidden(format!("this needs the role {}", least.as_str()))
            .in_russian(format!("Для этого нужна роль: {role}.")));
    }
    Ok(())
}

/// Beside the request: nobody waits for it.
fn note_use(state: &WebState, key: i64, address: IpAddr) {
    if state.known.is_news(key) {
        let store = state.store.clone();
        tokio::spawn(async move {
            if let Err(error) = store.touch_api_key(key, &address.to_canonical().to_string(), clock::wall()).await {
                tracing::debug!(key, "the use of an API key was not noted: {error}");
            }
        });
    }
}

/// Lets a key in by the route's own scope (true) or by one that lets it in as well (false).
fn in_scope(key: &ApiKeyRow, rule: Rule, method: &Method) -> Result<bool, Problem> {
    let wanted = scope(rule.section, method.is_safe());
    let own = key.scopes.contains(&wanted);
    if own || rule.also.iter().any(|scope| key.scopes.contains(*scope)) {
        return Ok(own);
    }
    Err(Problem::forbidden(format!("this API key lacks the scope {wanted}")))
}

/// The session's token, from the cookie.
pub(super) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, token)| token)
        .filter(|token| !token.is_empty() && token.len() <= 200)
}

/// A browser tells where a request comes from: writes that another site caused are refused (beside SameSite).
fn own_origin(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    if method.is_safe() { Ok(()) } else { same_origin(headers) }
}

/// The page that caused the request is ours. Requests of programs name no origin.
pub(super) fn same_origin(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let from = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    if !host.is_empty() && from.is_some_and(|from| from.eq_ignore_ascii_case(host)) {
        return Ok(());
    }
    Err(Problem::forbidden("the request comes from a page of another site"))
}

/// Who sent the request to us: a client, or a proxy before it.
pub(super) fn peer(extensions: &axum::http::Extensions) -> IpAddr {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(peer)| peer.ip())
}

/// The client's address: the last one in `X-Forwarded-For` that is no proxy of ours, if a proxy of ours says so.
fn address(headers: &HeaderMap, peer: IpAddr, proxies: &[IpAddr]) -> IpAddr {
    let ours = |address: &IpAddr| proxies.contains(&address.to_canonical());
    if !ours(&peer) {
        return peer;
    }
    let forwarded: Vec<_> = headers.get_all("x-forwarded-for").into_iter().filter_map(|v| v.to_str().ok()).collect();
    forwarded
        .join(",")
        .split(',')
        .rev()
        .map_while(|text| text.trim().parse::<IpAddr>().ok())
        .find(|address| !ours(address))
        .unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_session_cookie_is_found_among_others() {
        let map = headers(&[("cookie", "a=b; perezvon_session=abc; c"), ("cookie", "d=e")]);
        assert_eq!(cookie(&map), Some("abc"));
        assert_eq!(cookie(&headers(&[("cookie", "xperezvon_session=abc")])), None);
        assert_eq!(cookie(&headers(&[("cookie", "perezvon_session=")])), None);
    }

    #[test]
    fn a_page_of_another_site_is_refused() {
        let host = ("host", "pbx.example:8080");
        assert!(same_origin(&headers(&[host])).is_ok());
        assert!(same_origin(&headers(&[host, ("origin", "https://pbx.example:8080")])).is_ok());
        for other in ["https://evil.example", "null", "https://pbx.example:8080.evil.example", "https://pbx.example"] {
            assert!(same_origin(&headers(&[host, ("origin", other)])).is_err(), "{other}");
        }
        assert!(same_origin(&headers(&[("origin", "https://")])).is_err());
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        let proxy: IpAddr = "127.0.0.1".parse().unwrap();
        let map = headers(&[("x-forwarded-for", "6.6.6.6, 192.0.2.7"), ("x-forwarded-for", "127.0.0.1")]);
        assert_eq!(address(&map, proxy, &[proxy]).to_string(), "192.0.2.7");
        assert_eq!(address(&map, proxy, &[]), proxy);
        let stranger: IpAddr = "203.0.113.5".parse().unwrap();
        assert_eq!(address(&map, stranger, &[proxy]), stranger);
        assert_eq!(address(&headers(&[("x-forwarded-for", "garbage")]), proxy, &[proxy]), proxy);
    }
}
