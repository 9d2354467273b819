//! Questions to web services, and their answers kept as files.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::blocking::{Client, RequestBuilder};
use serde_json::Value;
use url::Url;
use weir_nodes::Problem;
use weir_nodes::kind::{Call, Paging};

use crate::project::{Project, Service};

/// How long an answer serves while a workflow is drawn. A run always asks anew.
const FRESH: Duration = Duration::from_mins(5);
/// The most pages and the most bytes of an answer.
const PAGES: u32 = 10_000;
const BYTES: u64 = 1 << 30;
/// How often a question is asked again when the service cannot answer now.
const TRIES: u32 = 4;

/// The file, as a path in a workflow, that holds the answer to a call.
pub(crate) fn answer(project: &Project, call: &Call, anew: bool) -> Result<String, Problem> {
    let service = project.service(&call.connection)?;
    let name = blake3::hash(format!("{call:?}").as_bytes()).to_hex();
    let file = project.state().join("http").join(format!("{}.{}", &name[..24], if call.json { "json" } else { "csv" }));
    let kept = file.strip_prefix(project.home()).unwrap_or(&file).display().to_string();
    let young = || Some(SystemTime::now().duration_since(file.metadata().ok()?.modified().ok()?).ok()? < FRESH);
    if !anew && young() == Some(true) {
        return Ok(kept);
    }
    // The client has a runtime of its own and waits: it gets a thread of its own.
    let asked = std::thread::scope(|scope| scope.spawn(|| pages(&service, call)).join());
    let pages = asked.unwrap_or_else(|_| Err(Problem::error("The question to the service stopped.")))?;
    write(&file, &pages).map_err(|error| {
        Problem::error(format!("The answer of the service cannot be kept: {error}."))
            .help("Check the disk's space and the permissions of .weir.")
    })?;
    Ok(kept)
}

fn write(file: &PathBuf, pages: &[String]) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(file);
    std::fs::create_dir_all(folder)?;
    let mut near = tempfile::NamedTempFile::new_in(folder)?;
    for page in pages {
        near.write_all(page.as_bytes())?;
        near.write_all(b"\n")?;
    }
    near.persist(file).map_err(|error| error.error)?;
    Ok(())
}

/// The answer, page by page.
fn pages(service: &Service, call: &Call) -> Result<Vec<String>, Problem> {
    let client = Client::builder().timeout(Duration::from_mins(1)).user_agent(concat!("weir/", env!("CARGO_PKG_VERSION"))).build();
    let client = client.map_err(|error| Problem::error(format!("The network cannot be used: {error}.")))?;
    let wrong = |what: String| Problem::error(what).help("Check the connection's address in weir.toml, and the path.");
    let base = format!("{}{}", service.url.trim_end_matches('/'), call.path);
    let mut next = Some(Url::parse(&base).map_err(|error| wrong(format!("\"{base}\" is not an address: {error}.")))?);
    let first = next.clone();
    let (mut pages, mut bytes, mut number) = (Vec::new(), 0_u64, 0_u32);
    while let Some(url) = next.take() {
        // A token goes to the service it belongs to, and nowhere else.
        let ours = first.as_ref().is_some_and(|first| first.origin() == url.origin());
        let mut request = client.get(url.clone());
        if number == 0 || !matches!(call.paging, Paging::Link { .. }) {
            request = request.query(&call.query);
        }
        request = match &call.paging {
            Paging::Number { parameter, first } => request.query(&[(parameter, (first + number).to_string())]),
            Paging::SkipRows { parameter, size_parameter, size } => {
                request.query(&[(parameter, (u64::from(number) * u64::from(*size)).to_string()), (size_parameter, size.to_string())])
            }
            Paging::None | Paging::Link { .. } => request,
        };
        if let Some(token) = service.bearer.as_ref().filter(|_| ours) {
            request = request.bearer_auth(token);
        }
        let text = asked(&request, &url)?;
        bytes += text.len() as u64;
        number += 1;
        if bytes > BYTES || number > PAGES {
            return Err(Problem::error("The service gives more than 1 GB or 10,000 pages.").help("Ask for less, for example by dates."));
        }
        if call.json && call.paging != Paging::None {
            let document: Value =
                serde_json::from_str(&text).map_err(|error| wrong(format!("Page {number} of the answer is not JSON: {error}.")))?;
            let rows = weir_nodes::formula::json_at(&document, &call.rows).and_then(Value::as_array).map_or(0, Vec::len);
            next = match &call.paging {
                Paging::Number { .. } => url_if(rows > 0, &url),
                Paging::SkipRows { size, .. } => url_if(rows as u64 >= u64::from(*size), &url),
                Paging::Link { at } => {
                    match weir_nodes::formula::json_at(&document, at).and_then(Value::as_str).filter(|link| !link.is_empty()) {
                        Some(link) => Some(url.join(link).map_err(|error| wrong(format!("\"{link}\" is not an address: {error}.")))?),
                        None => None,
                    }
                }
                Paging::None => None,
            };
            if rows == 0 && number > 1 {
                continue;
            }
        }
        pages.push(text);
    }
    Ok(pages)
}

/// Sends lists of rows, one after the other. The problem says how many were taken before one was not.
pub(crate) fn send(project: &Project, connection: &str, resource: &str, run: &str, lists: &[String]) -> Result<(), Problem> {
    let service = project.service(connection)?;
    let base = format!("{}{resource}", service.url.trim_end_matches('/'));
    let url = Url::parse(&base).map_err(|error| Problem::error(format!("\"{base}\" is not an address: {error}.")))?;
    let sent = std::thread::scope(|scope| {
        scope
            .spawn(|| {
                let client =
                    Client::builder().timeout(Duration::from_mins(1)).user_agent(concat!("weir/", env!("CARGO_PKG_VERSION"))).build();
                let client = client.map_err(|error| Problem::error(format!("The network cannot be used: {error}.")))?;
                for (number, list) in lists.iter().enumerate() {
                    let mut request = client.post(url.clone()).header("content-type", "application/json");
                    request = request.header("idempotency-key", format!("{run}-{number}")).body(list.clone());
                    if let Some(token) = &service.bearer {
                        request = request.bearer_auth(token);
                    }
                    asked(&request, &url).map_err(|problem| {
                        let what = format!("{} of {} lists of rows were taken, then: {}", number, lists.len(), problem.message);
                        Problem { message: what, ..problem }
                    })?;
                }
                Ok(())
            })
            .join()
    });
    sent.unwrap_or_else(|_| Err(Problem::error("The sending stopped.")))
}

fn url_if(more: bool, url: &Url) -> Option<Url> {
    more.then(|| url.clone())
}

/// The text of one answer. Asks again where the service says that it cannot answer now.
fn asked(request: &RequestBuilder, url: &Url) -> Result<String, Problem> {
    let place = format!("{}{}", url.host_str().unwrap_or_default(), url.path());
    let mut wait = Duration::from_millis(300);
    for attempt in 1..=TRIES {
        let Some(request) = request.try_clone() else { break };
        let response = match request.send() {
            Ok(response) => response,
            Err(error) if attempt < TRIES && (error.is_connect() || error.is_timeout()) => {
                std::thread::sleep(wait);
                wait *= 2;
                continue;
            }
            Err(error) => {
                let what = if error.is_timeout() { "does not answer in time" } else { "cannot be reached" };
                return Err(Problem::error(format!("{place} {what}: {}.", error.without_url())).help("Check the address and the network."));
            }
        };
        let status = response.status();
        if status.is_success() {
            let text =
                response.text().map_err(|error| Problem::error(format!("{place} broke off its answer: {}.", error.without_url())))?;
            return Ok(text);
        }
        let again = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED;
        if again && attempt < TRIES {
            let asked_for = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
            std::thread::sleep(asked_for.map_or(wait, |seconds| Duration::from_secs(seconds.min(30))));
            wait *= 2;
            continue;
        }
        return Err(refusal(&place, status));
    }
    Err(Problem::error(format!("{place} cannot be asked.")))
}

/// What a status means, and the way out.
fn refusal(place: &str, status: StatusCode) -> Problem {
    let (what, help) = match status.as_u16() {
        401 => ("wants to know who asks", "Check the token of the connection in weir.toml, and that its environment variable is set."),
        403 => ("does not allow this", "Ask for the right to read it, or use another token."),
        404 => ("has nothing there", "Check the path."),
        429 => ("was asked too often", "Wait a while, or ask for larger pages."),
        500..=599 => ("has a fault of its own", "Try again later, or ask those who run it."),
        _ => ("refuses", "Check the path and the parameters."),
    };
    Problem::error(format!("{place} {what} ({}).", status.as_u16())).help(help)
}
