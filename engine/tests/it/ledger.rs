//! The ledger: every type, every mode, time travel, repeated loads, concurrency.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::arrow::ArrowWriter;
use weir_engine::audit::{self, Audit, AuditError, Event};
use weir_engine::ledger::{AsOf, Ledger, LedgerError, Load, stamped, stamped_schema};
use weir_nodes::example::{parse_table, print_table};
use weir_nodes::kind::LedgerMode;

fn staged(folder: &Path, run: &str, table: &str, mode: LedgerMode, rows: &str) -> Load {
    let batch = parse_table(rows).unwrap();
    let schema = stamped_schema(&batch.schema());
    let path = folder.join(format!("{run}-{table}"));
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), Arc::clone(&schema), None).unwrap();
    writer.write(&stamped(&batch, &schema, run, "v1", 1).unwrap()).unwrap();
    writer.close().unwrap();
    Load { table: table.to_owned(), mode, run: run.to_owned(), rows: path }
}

async fn shown(ledger: &Ledger, table: &str, as_of: Option<AsOf>) -> String {
    let batch = ledger.read(table, as_of).await.unwrap();
    let own: Vec<usize> = (0..batch.num_columns()).filter(|i| !batch.schema().field(*i).name().starts_with('_')).collect();
    print_table(&batch.project(&own).unwrap())
}

#[tokio::test]
async fn every_type_comes_back_as_it_was_and_a_run_loads_once() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&folder.path().join("ledger"));
    let rows = "t,n:integer,m:decimal(2),b:boolean,d:date,f:float,at:datetime\nZoë,1,99999999999999999999.99,true,2026-09-30,0.5,2026-09-30 14:05:09\n,,,,,,";
    let load = staged(folder.path(), "run1", "all", LedgerMode::Append, rows);
    ledger.load(&load).await.unwrap();
    assert_eq!(shown(&ledger, "all", None).await, print_table(&parse_table(rows).unwrap()));
    ledger.load(&load).await.unwrap();
    assert_eq!(ledger.read("all", None).await.unwrap().num_rows(), 2, "a repeated load added rows");
}

#[tokio::test]
async fn modes_and_time_travel() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&folder.path().join("ledger"));
    let period = || LedgerMode::ReplacePeriod { column: "month".into() };
    let first = "month:integer,v:integer\n1,10\n2,20\n,30";
    ledger.load(&staged(folder.path(), "a", "p", period(), first)).await.unwrap();
    ledger.load(&staged(folder.path(), "b", "p", period(), "month:integer,v:integer\n2,21\n2,22\n,31")).await.unwrap();
    assert_eq!(shown(&ledger, "p", None).await, "month:integer,v:integer\n1,10\n2,21\n2,22\n,31");
    assert_eq!(shown(&ledger, "p", Some(AsOf::Version(0))).await, first);
    assert!(matches!(ledger.read("p", Some(AsOf::Version(9))).await, Err(LedgerError::NoVersion { newest: 1, .. })));

    let keys = || LedgerMode::Upsert { keys: vec!["k".into()] };
    ledger.load(&staged(folder.path(), "c", "u", keys(), "k,v:integer\na,1\nb,2")).await.unwrap();
    ledger.load(&staged(folder.path(), "d", "u", keys(), "k,v:integer,new\nb,3,x\nc,4,")).await.unwrap();
    assert_eq!(shown(&ledger, "u", None).await, "k,v:integer,new\na,1,\nb,3,x\nc,4,");
    let twice = staged(folder.path(), "e", "u", keys(), "k,v:integer\nz,1\nz,2");
    assert!(matches!(ledger.verify(&twice).await, Err(LedgerError::DoubleKey { key, .. }) if key == "z"));
    let wrong = staged(folder.path(), "f", "u", keys(), "k,v\nz,text");
    assert!(matches!(ledger.verify(&wrong).await, Err(LedgerError::Type { column, .. }) if column == "v"));
    assert!(matches!(ledger.read("nothing", None).await, Err(LedgerError::Missing { .. })));
    assert!(matches!(ledger.read("../x", None).await, Err(LedgerError::Name { .. })));
}

#[tokio::test]
async fn writers_at_the_same_time_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&folder.path().join("ledger"));
    ledger.load(&staged(folder.path(), "start", "t", LedgerMode::Append, "n:integer\n0")).await.unwrap();
    let tasks: Vec<_> = (1..=4)
        .map(|n| {
            let load = staged(folder.path(), &format!("run{n}"), "t", LedgerMode::Append, &format!("n:integer\n{n}"));
            let ledger = ledger.clone();
            tokio::spawn(async move { ledger.load(&load).await.unwrap() })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(ledger.read("t", None).await.unwrap().num_rows(), 5);
}

#[test]
fn an_altered_line_breaks_the_chain_where_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let chain = Audit::open(&path);
    let mut ends = Vec::new();
    for run in 1..=4 {
        chain.append(Event::Load, "me", &format!("run{run}"), serde_json::json!({ "rows": run })).unwrap();
        ends.push(std::fs::read_to_string(path.with_extension("end")).unwrap());
    }
    assert_eq!(audit::verify(&path).unwrap().entries, 4);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("\"rows\":2", "\"rows\":3", 1)).unwrap();
    assert!(matches!(audit::verify(&path), Err(AuditError::Broken { line: 2, .. })));
    let mut lines: Vec<&str> = text.lines().collect();
    lines.remove(1);
    let without = lines.join("\n") + "\n";
    std::fs::write(&path, without).unwrap();
    assert!(matches!(audit::verify(&path), Err(AuditError::Broken { line: 2, .. })));
    // Its end is cut off.
    std::fs::write(&path, text.split_inclusive('\n').take(3).collect::<String>()).unwrap();
    assert!(matches!(audit::verify(&path), Err(AuditError::Broken { line: 4, .. })));
    // A crash in the middle of a line, before the line counted: it is set aside, and said so.
    std::fs::write(&path, &text[..text.len() - 20]).unwrap();
    std::fs::write(path.with_extension("end"), &ends[2]).unwrap();
    chain.append(Event::Block, "me", "run5", serde_json::json!({})).unwrap();
    assert_eq!(audit::verify(&path).unwrap().entries, 5);
    assert!(std::fs::read_to_string(&path).unwrap().contains("unfinished_line"));
}
