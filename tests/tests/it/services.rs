//! Web services: a small server of our own that pages, refuses and stumbles.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use weir_tests::weir::Folder;

/// Answers each request with what `answer` makes of its first line and its token; remembers the first lines.
fn serve(answer: impl Fn(&str, Option<&str>) -> (u16, String) + Send + 'static) -> (String, Arc<Mutex<Vec<String>>>) {
    serve_bytes(move |line, token| {
        let (status, text) = answer(line, token);
        (status, text.into_bytes())
    })
}

/// The same with answers that are no text.
pub fn serve_bytes(answer: impl Fn(&str, Option<&str>) -> (u16, Vec<u8>) + Send + 'static) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = lines.next().unwrap().unwrap();
            let mut token = None;
            for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
                if let Some(value) = line.to_lowercase().strip_prefix("authorization: bearer ") {
                    token = Some(value.to_owned());
                }
            }
            let (status, body) = answer(&first, token.as_deref());
            log.lock().unwrap().push(first);
            let _ = write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(&body);
        }
    });
    (address, seen)
}

fn run(address: &str, params: Value) -> (Folder, Option<i32>, String) {
    let project = Folder::empty().unwrap();
    let config = format!("name = \"services\"\n[connections.crm]\nurl = \"{address}\"\nbearer = \"${{WEIR_TEST_TOKEN}}\"\n");
    project.write("weir.toml", config).unwrap();
    let nodes =
        json!({ "read": { "kind": "input.http", "params": params }, "write": { "kind": "load.csv", "params": { "path": "out.csv" } } });
    project
        .write("w.json", json!({ "weir": 1, "name": "w", "nodes": nodes, "edges": [{ "from": "read", "to": "write" }] }).to_string())
        .unwrap();
    let output = project.command(&["run", "w.json"]).env("WEIR_TEST_TOKEN", "sesame").output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (project, output.status.code(), said)
}

#[test]
fn pages_are_read_to_the_end_with_a_token_and_exact_numbers() {
    let (address, seen) = serve(|line, token| {
        assert_eq!(token, Some("sesame"));
        let rows = match line.split("page=").nth(1).and_then(|rest| rest.chars().next()) {
            Some('1') => r#"{"id":1,"amount":12345678901234567.89},{"id":2,"amount":0.10}"#,
            Some('2') => r#"{"id":3,"amount":5}"#,
            _ => "",
        };
        (200, format!("{{\"data\":[{rows}]}}"))
    });
    let params = json!({ "connection": "crm", "resource": "/deals", "rows": "data", "query": [{ "name": "year", "value": "2026" }], "paging": { "how": "number", "parameter": "page" } });
    let (project, code, said) = run(&address, params);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(project.read("out.csv").unwrap(), "id,amount\n1,12345678901234567.89\n2,0.10\n3,5.00\n");
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert!(seen[0].contains("/deals?year=2026&page=1"), "{seen:?}");
}

#[test]
fn a_link_leads_from_page_to_page() {
    let (address, seen) = serve(|line, _| {
        let (id, next) = if line.contains("after=2") { (2, "null".into()) } else { (1, "\"/deals?after=2\"".to_owned()) };
        (200, format!("{{\"items\":[{{\"id\":{id}}}],\"next\":{next}}}"))
    });
    let (project, code, said) =
        run(&address, json!({ "connection": "crm", "resource": "/deals", "rows": "items", "paging": { "how": "link", "at": "next" } }));
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(project.read("out.csv").unwrap(), "id\n1\n2\n");
    assert_eq!(seen.lock().unwrap().len(), 2);
}

#[test]
fn a_service_that_stumbles_is_asked_again() {
    let asked = AtomicU32::new(0);
    let (address, _) = serve(move |_, _| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => (429, String::new()),
        1 => (503, String::new()),
        _ => (200, "a,b\n1,x\n".into()),
    });
    let (project, code, said) = run(&address, json!({ "connection": "crm", "format": "csv" }));
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(project.read("out.csv").unwrap(), "a,b\n1,x\n");
}

#[test]
fn every_refusal_has_its_own_words() {
    for (status, words) in
        [(401, "wants to know who asks"), (403, "does not allow"), (404, "nothing there"), (429, "too often"), (500, "fault of its own")]
    {
        let (address, _) = serve(move |_, _| (status, String::new()));
        let (project, code, said) = run(&address, json!({ "connection": "crm" }));
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(words) && said.contains(&status.to_string()), "{status}: {said}");
        assert!(!project.has("out.csv"));
    }
    let (project, code, said) = run("http://127.0.0.1:9", json!({ "connection": "crm" }));
    assert!(code == Some(2) && said.contains("cannot be reached") && !project.has("out.csv"), "{said}");
}

#[test]
fn rows_are_sent_in_lists_and_a_refusal_publishes_nothing() {
    let refuse = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let refusing = Arc::clone(&refuse);
    let (address, seen) = serve(move |line, token| {
        let fine = line.starts_with("POST /rows") && token == Some("sesame") && !refusing.load(Ordering::Relaxed);
        (if fine { 201 } else { 422 }, String::new())
    });
    let project = Folder::empty().unwrap();
    project.write("weir.toml", format!("[connections.crm]\nurl = \"{address}\"\nbearer = \"${{WEIR_TEST_TOKEN}}\"\n")).unwrap();
    project.write("a.csv", "id,amount\n1,0.10\n2,5.00\n3,7.25\n").unwrap();
    let nodes = json!({
        "read": { "kind": "input.csv", "params": { "path": "a.csv" } },
        "send": { "kind": "load.http", "params": { "connection": "crm", "resource": "/rows", "batch": 2 } },
        "write": { "kind": "load.csv", "params": { "path": "out.csv" } }
    });
    let edges = json!([{ "from": "read", "to": "send" }, { "from": "read", "to": "write" }]);
    project.write("w.json", json!({ "weir": 1, "name": "w", "nodes": nodes, "edges": edges }).to_string()).unwrap();
    refuse.store(true, Ordering::Relaxed);
    let run = || project.command(&["run", "w.json"]).env("WEIR_TEST_TOKEN", "sesame").output().unwrap();
    let output = run();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(3) && said.contains("0 of 2 lists of rows were taken"), "{said}");
    assert!(!project.has("out.csv"));
    refuse.store(false, Ordering::Relaxed);
    let output = run();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(project.has("out.csv"));
    assert_eq!(seen.lock().unwrap().len(), 3, "one refused, two taken");
}
