//! Real databases: SQLite always; PostgreSQL and MariaDB where their servers are installed, and a plain word where not.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use weir_nodes::database::Database;
use weir_tests::weir::Folder;

/// A server of our own, gone when dropped.
struct Server {
    child: Child,
    folder: PathBuf,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A program in one of these folders or on the path.
fn program(name: &str, folders: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    for folder in folders {
        if let Some((before, after)) = folder.split_once('*') {
            let versions = std::fs::read_dir(before).into_iter().flatten().flatten();
            places.extend(versions.map(|version| version.path().join(after.trim_start_matches('/'))));
        } else {
            places.push(folder.into());
        }
    }
    places.into_iter().map(|place| place.join(name)).find(|file| file.is_file())
}

/// A command run by the account that servers run as: they refuse to be root.
fn by(account: &str, program: &Path) -> Command {
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.starts_with(b"0\n"));
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", account, "--"]).arg(program);
    command
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A folder that any account may use.
fn open_folder(name: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::Builder::new().prefix(name).tempdir().unwrap().keep();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

fn started(mut command: Command, folder: PathBuf, url: String) -> Server {
    let log = std::fs::File::create(folder.join("server.log")).unwrap();
    let child = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
    let server = Server { child, folder, url };
    let start = Instant::now();
    loop {
        match Database::open(&server.url) {
            Ok(_) => return server,
            Err(what) if start.elapsed() > Duration::from_secs(40) => {
                panic!(
                    "the server did not start: {what}\n{}",
                    std::fs::read_to_string(server.folder.join("server.log")).unwrap_or_default()
                )
            }
            Err(_) => std::thread::sleep(Duration::from_millis(200)),
        }
    }
}

/// A root of our own and a server's certificate of it, for `localhost` and `127.0.0.1`.
struct Certificates(PathBuf);

impl Certificates {
    fn new(account: &str) -> Option<Self> {
        let Some(openssl) = program("openssl", &[]) else {
            eprintln!("skipped: openssl is not installed");
            return None;
        };
        let folder = open_folder("weir-tls");
        std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
        let days = ["-days", "2"];
        let made = |args: &[&str]| {
            let output = by(account, &openssl).args(args).current_dir(&folder).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        for root in ["ca", "other"] {
            let (key, pem, name) = (format!("{root}.key"), format!("{root}.pem"), format!("/CN=weir test {root}"));
            let args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", &name, "-keyout", &key, "-out", &pem];
            made(&[&args[..], &days].concat());
        }
        made(&["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"]);
        let args = ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.pem"];
        made(&[&args[..], &["-extfile", "names"], &days].concat());
        Some(Self(folder))
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What every mode does with a server that takes encrypted connections only.
fn encrypted(url: &str, certificates: &Certificates) {
    let open = |words: &str| Database::open(&format!("{url}{words}")).map(|_| ());
    assert!(open("?sslmode=disable").is_err(), "the server wants encryption");
    open("").unwrap();
    open("?sslmode=require").unwrap();
    let root = |name: &str| format!("sslrootcert={}", certificates.path(name));
    open(&format!("?sslmode=verify-full&{}", root("ca.pem"))).unwrap();
    open(&format!("?sslmode=verify-ca&{}", root("ca.pem"))).unwrap();
    for wrong in [format!("?sslmode=verify-full&{}", root("other.pem")), "?sslmode=verify-full".into()] {
        let what = open(&wrong).unwrap_err();
        assert!(what.to_lowercase().contains("cert"), "{wrong}: {what}");
    }
    assert!(open(&format!("?sslmode=verify-full&{}", root("none.pem"))).is_err(), "a root that is not there");
    assert!(open("?sslmode=full").unwrap_err().contains("verify-full"));
}

#[test]
fn postgresql_is_spoken_to_in_secret() {
    let Some(certificates) = Certificates::new("postgres") else { return };
    let Some(server) = postgres_with(Some(&certificates)) else { return };
    encrypted(&server.url, &certificates);
    round_trip(&format!("{}?sslmode=verify-full&sslrootcert={}", server.url, certificates.path("ca.pem")));
}

#[test]
fn mariadb_is_spoken_to_in_secret() {
    let Some(certificates) = Certificates::new("mysql") else { return };
    let Some(server) = mariadb_with(Some(&certificates)) else { return };
    encrypted(&server.url, &certificates);
    round_trip(&format!("{}?sslmode=verify-full&sslrootcert={}", server.url, certificates.path("ca.pem")));
}

fn postgres() -> Option<Server> {
    postgres_with(None)
}

/// With certificates, connections are encrypted or refused.
fn postgres_with(certificates: Option<&Certificates>) -> Option<Server> {
    let folders = ["/usr/lib/postgresql/*/bin"];
    let (Some(initdb), Some(server)) = (program("initdb", &folders), program("postgres", &folders)) else {
        eprintln!("skipped: PostgreSQL is not installed");
        return None;
    };
    let (folder, port) = (open_folder("weir-postgres"), free_port());
    let data = folder.join("data");
    let made = by("postgres", &initdb).args(["-A", "trust", "-U", "weir", "--no-sync", "-E", "UTF8", "-D"]).arg(&data).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut command = by("postgres", &server);
    command.arg("-D").arg(&data).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-k"]).arg(&folder);
    if let Some(certificates) = certificates {
        let rules = folder.join("rules");
        std::fs::write(&rules, "hostssl all all 127.0.0.1/32 trust\n").unwrap();
        let files = [("ssl_cert_file", certificates.path("server.pem")), ("ssl_key_file", certificates.path("server.key"))];
        command.args(["-c", "ssl=on", "-c", &format!("hba_file={}", rules.display())]);
        files.iter().for_each(|(name, path)| {
            command.args(["-c", &format!("{name}={path}")]);
        });
    }
    Some(started(command, folder, format!("postgres://weir@127.0.0.1:{port}/postgres")))
}

fn mariadb() -> Option<Server> {
    mariadb_with(None)
}

/// With certificates, connections are encrypted or refused.
fn mariadb_with(certificates: Option<&Certificates>) -> Option<Server> {
    let folders = ["/usr/sbin", "/usr/bin"];
    let (Some(install), Some(server)) = (program("mariadb-install-db", &folders), program("mariadbd", &folders)) else {
        eprintln!("skipped: MariaDB is not installed");
        return None;
    };
    let (folder, port) = (open_folder("weir-mariadb"), free_port());
    let data = folder.join("data");
    let made = by("mysql", &install)
        .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
        .arg(format!("--datadir={}", data.display()))
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let init = folder.join("init.sql");
    std::fs::write(&init, "CREATE DATABASE IF NOT EXISTS weir;\nCREATE USER IF NOT EXISTS weir@'%' IDENTIFIED BY 'secret';\nCREATE USER IF NOT EXISTS weir@localhost IDENTIFIED BY 'secret';\nGRANT ALL ON *.* TO weir@'%';\nGRANT ALL ON *.* TO weir@localhost;\n").unwrap();
    let mut command = by("mysql", &server);
    command.arg("--no-defaults").arg(format!("--datadir={}", data.display())).arg(format!("--init-file={}", init.display()));
    command.arg(format!("--socket={}", folder.join("s").display())).arg(format!("--port={port}")).arg("--bind-address=127.0.0.1");
    if let Some(certificates) = certificates {
        let (certificate, key) = (certificates.path("server.pem"), certificates.path("server.key"));
        command.args([format!("--ssl-cert={certificate}"), format!("--ssl-key={key}"), "--require-secure-transport=ON".into()]);
    }
    Some(started(command, folder, format!("mysql://weir:secret@127.0.0.1:{port}/weir")))
}

fn step(kind: &str, params: Value) -> Value {
    json!({ "kind": kind, "params": params })
}

fn chain(name: &str, steps: &[(&str, Value)]) -> String {
    let nodes: serde_json::Map<String, Value> = steps.iter().map(|(id, step)| ((*id).to_owned(), step.clone())).collect();
    let edges: Vec<Value> = steps.windows(2).map(|pair| json!({ "from": pair[0].0, "to": pair[1].0 })).collect();
    json!({ "weir": 1, "name": name, "nodes": nodes, "edges": edges }).to_string()
}

fn project(url: &str) -> Folder {
    let project = Folder::empty().unwrap();
    project
        .write("weir.toml", format!("name = \"databases\"\n[connections]\ndb = \"{}\"\n", url.replace("secret", "${WEIR_TEST_PASSWORD}")))
        .unwrap();
    project
}

fn run(project: &Folder, file: &str) -> (Option<i32>, String) {
    let output = project.command(&["run", file]).env("WEIR_TEST_PASSWORD", "secret").output().unwrap();
    (output.status.code(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

/// Writes rows of every type into a table, and reads them back; then by key, then all anew.
fn round_trip(url: &str) {
    let project = project(url);
    let rows = "id,name,amount,ratio,ok,day,at\n1,\"Zoë's \\ \"\"x\"\"\",1234567890123456.78,0.5,true,2026-09-30,2026-09-30 12:34:56.789\n2,,-0.01,,false,,\n3,tab\tand ; more,,-2.25,,1999-12-31,\n";
    let types = json!([
        { "name": "id", "type": "integer" }, { "name": "name", "type": "text" }, { "name": "amount", "type": "decimal(2)" }, { "name": "ratio", "type": "float" },
        { "name": "ok", "type": "boolean" }, { "name": "day", "type": "date" }, { "name": "at", "type": "datetime" }
    ]);
    let load = |file: &str, mode: &str| {
        let read = step("input.csv", json!({ "path": file, "columns": types }));
        chain(
            "load",
            &[
                ("read", read),
                ("load", step("load.database", json!({ "connection": "db", "table": "sales", "mode": mode, "keys": ["id"] }))),
            ],
        )
    };
    let back = |query: Value| {
        let mut params = json!({ "connection": "db" });
        params.as_object_mut().unwrap().extend(query.as_object().unwrap().clone());
        chain("back", &[("read", step("input.database", params)), ("write", step("load.csv", json!({ "path": "out.csv" })))])
    };
    let read = |workflow: String| {
        project.write("back.json", workflow).unwrap();
        let (code, said) = run(&project, "back.json");
        assert_eq!(code, Some(0), "{said}");
        project.read("out.csv").unwrap()
    };
    project.write("a.csv", rows).unwrap();
    project.write("insert.json", load("a.csv", "insert")).unwrap();
    let (code, said) = run(&project, "insert.json");
    assert_eq!(code, Some(0), "{said}");
    let ordered = json!({ "query": "SELECT * FROM sales ORDER BY id" });
    assert_eq!(read(back(ordered.clone())), rows, "what was written is read back");
    assert_eq!(read(back(json!({ "table": "sales", "where": "id > 2" }))).lines().count(), 2, "the database leaves rows out");

    project.write("b.csv", "id,name,amount,ratio,ok,day,at\n2,Bob,7.00,1,true,2026-01-01,\n4,Dan,8.00,1,true,2026-01-01,\n").unwrap();
    project.write("upsert.json", load("b.csv", "upsert")).unwrap();
    assert_eq!(run(&project, "upsert.json").0, Some(0));
    let names: Vec<String> = read(back(json!({ "query": "SELECT id, name FROM sales ORDER BY id" })))
        .lines()
        .skip(1)
        .map(|line| line.rsplit(',').next().unwrap().to_owned())
        .collect();
    assert_eq!((names.len(), names[1].as_str(), names[3].as_str()), (4, "Bob", "Dan"));
    project.write("replace.json", load("b.csv", "replace")).unwrap();
    assert_eq!(run(&project, "replace.json").0, Some(0));
    assert_eq!(read(back(ordered)).lines().count(), 3);

    // A column that the table lacks: refused, and nothing is loaded.
    project.write("c.csv", "id,colour\n9,red\n").unwrap();
    let wrong = step("load.database", json!({ "connection": "db", "table": "sales" }));
    project.write("wrong.json", chain("wrong", &[("read", step("input.csv", json!({ "path": "c.csv" }))), ("load", wrong)])).unwrap();
    let (code, said) = run(&project, "wrong.json");
    assert!(code != Some(0) && said.contains("no column \"colour\""), "{said}");
    assert_eq!(read(back(json!({ "query": "SELECT id FROM sales ORDER BY id" }))), "id\n2\n4\n");
}

#[test]
fn sqlite_keeps_every_type() {
    let folder = tempfile::tempdir().unwrap();
    round_trip(&format!("sqlite:{}", folder.path().join("shop.db").display()));
}

#[test]
fn postgresql_keeps_every_type() {
    let Some(server) = postgres() else { return };
    round_trip(&server.url);
}

#[test]
fn mariadb_keeps_every_type() {
    let Some(server) = mariadb() else { return };
    round_trip(&server.url);
}

#[test]
fn a_database_that_goes_away_publishes_nothing() {
    let Some(mut server) = postgres() else { return };
    let project = project(&server.url);
    let query =
        json!({ "connection": "db", "query": "SELECT i, (i * 1.25)::numeric(20, 2) AS n FROM generate_series(1, 50000000) AS g(i)" });
    project
        .write(
            "w.json",
            chain("long", &[("read", step("input.database", query)), ("write", step("load.csv", json!({ "path": "out.csv" })))]),
        )
        .unwrap();
    let mut child = project.command(&["run", "w.json"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // It reads when rows have come as far as the staged file.
    let start = Instant::now();
    let staged = || -> u64 {
        let runs = std::fs::read_dir(project.path().join(".weir/runs")).into_iter().flatten().flatten();
        let files = runs.flat_map(|run| std::fs::read_dir(run.path().join("staging")).into_iter().flatten().flatten());
        files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
    };
    while staged() == 0 && start.elapsed() < Duration::from_mins(1) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(child.try_wait().unwrap().is_none(), "the run is still reading");
    let _ = Command::new("pkill").args(["-9", "-f", &server.folder.display().to_string()]).status();
    let _ = server.child.kill();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("the database says"), "{said}");
    assert!(!project.has("out.csv"));
}

#[test]
fn a_connection_that_is_not_known_says_where_it_belongs() {
    let project = Folder::empty().unwrap();
    let read = step("input.database", json!({ "connection": "erp", "table": "sales" }));
    project.write("w.json", chain("w", &[("read", read), ("write", step("load.csv", json!({ "path": "out.csv" })))])).unwrap();
    let (code, said) = run(&project, "w.json");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("[connections]"), "{said}");
}

#[test]
fn postgresql_is_read_over_odbc() {
    let Some(server) = postgres() else { return };
    let places = ["/usr/lib/x86_64-linux-gnu/odbc/psqlodbcw.so", "/usr/lib/aarch64-linux-gnu/odbc/psqlodbcw.so", "/usr/lib64/psqlodbcw.so"];
    let Some(driver) = places.into_iter().find(|place| Path::new(place).is_file()) else {
        eprintln!("skipped: the ODBC driver of PostgreSQL is not installed");
        return;
    };
    let port = server.url.rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    let psql = program("psql", &["/usr/lib/postgresql/*/bin"]).unwrap();
    for sql in [
        "CREATE TABLE sales (id bigint, name text, amount numeric(20, 2), ratio float8, ok boolean, day date, at timestamp)",
        "INSERT INTO sales VALUES (1, 'Zoë''s', 123456789012345678.90, 0.5, true, '2026-09-30', '2026-09-30 12:34:56.789'), (2, NULL, -0.05, NULL, false, NULL, NULL)",
    ] {
        let done = Command::new(&psql).arg(&server.url).args(["-c", sql]).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let address = format!("odbc:Driver={driver};Server=127.0.0.1;Port={port};Database=postgres;UID=weir;BoolsAsChar=0");
    let project = project(&address);
    let read = step("input.database", json!({ "connection": "db", "query": "SELECT * FROM sales ORDER BY id" }));
    project.write("w.json", chain("w", &[("read", read), ("write", step("load.csv", json!({ "path": "out.csv" })))])).unwrap();
    let (code, said) = run(&project, "w.json");
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        project.read("out.csv").unwrap(),
        "id,name,amount,ratio,ok,day,at\n1,Zoë's,123456789012345678.90,0.5,true,2026-09-30,2026-09-30 12:34:56.789\n2,,-0.05,,false,,\n"
    );
    // It is for reading, and says so.
    project.write("a.csv", "id\n3\n").unwrap();
    let load = step("load.database", json!({ "connection": "db", "table": "sales" }));
    project.write("l.json", chain("l", &[("read", step("input.csv", json!({ "path": "a.csv" }))), ("load", load)])).unwrap();
    let (code, said) = run(&project, "l.json");
    assert!(code != Some(0) && said.contains("over ODBC Weir reads"), "{said}");
}
