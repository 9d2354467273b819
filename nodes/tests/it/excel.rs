//! What `load.excel` writes, read back by another library.

use std::path::Path;

use arrow::array::RecordBatch;
use calamine::{Data, Reader, Xlsx, open_workbook};
use rust_xlsxwriter::{Format, Formula, Workbook};
use serde_json::{Value, json};
use weir_nodes::example::{Example, parse_table, plan};
use weir_nodes::kind::Sink;
use weir_nodes::registry::find;

/// Plans the step with these tables on its ports and writes them one after the other, as the engine does.
fn written(folder: &Path, params: Value, inputs: &[(&'static str, &'static str)]) -> Result<(), String> {
    let mut example = Example::new("a workbook", params);
    for (port, text) in inputs {
        example = example.input(port, text);
    }
    let planned = plan(find("load.excel").unwrap(), &example, folder)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let batches: Vec<(&str, RecordBatch)> = inputs.iter().map(|(port, text)| (*port, parse_table(text).unwrap())).collect();
    let mut open: Option<Box<dyn weir_nodes::kind::Writing>> = None;
    for sink in &planned.sinks {
        let Sink::File { port, path, format, part } = sink else { panic!("a file is written") };
        let (_, batch) = batches.iter().find(|(name, _)| name == port).unwrap();
        let mut writer = match (open.take(), part) {
            (Some(mut writer), Some(part)) => {
                writer.next(part, batch.schema()).map_err(|error| error.to_string())?;
                writer
            }
            _ => format.open(std::fs::File::create(folder.join(path)).unwrap(), batch.schema()).map_err(|error| error.to_string())?,
        };
        writer.write(batch).map_err(|error| error.to_string())?;
        open = Some(writer);
    }
    open.unwrap().finish().map(drop).map_err(|error| error.to_string())
}

fn cells(file: &Path, sheet: &str) -> Vec<Vec<String>> {
    let mut workbook: Xlsx<_> = open_workbook(file).unwrap();
    let range = workbook.worksheet_range(sheet).unwrap();
    let text = |data: &Data| match data {
        Data::DateTime(moment) => moment.as_datetime().map(|moment| moment.to_string()).unwrap_or_default(),
        other => other.to_string(),
    };
    range.rows().map(|row| row.iter().map(text).collect()).collect()
}

#[test]
fn several_sheets_and_totals() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.xlsx");
    let rows = "deal,amount:decimal(2)\nD1,10.10\nD2,0.20";
    written(
        folder.path(),
        json!({ "path": "out.xlsx", "sheet": "Summary", "more": ["Detail"], "totals": ["amount"] }),
        &[("in", "owner,amount:decimal(2)\nJean,10.30"), ("Detail", rows)],
    )
    .unwrap();
    assert_eq!(cells(&file, "Summary"), [["owner", "amount"], ["Jean", "10.3"], ["Total", "10.3"]]);
    assert_eq!(cells(&file, "Detail"), [["deal", "amount"], ["D1", "10.1"], ["D2", "0.2"], ["Total", "10.3"]]);
    let mut workbook: Xlsx<_> = open_workbook(&file).unwrap();
    assert_eq!(workbook.worksheet_formula("Detail").unwrap().get_value((3, 1)).unwrap(), "SUM(B2:B3)");

    written(folder.path(), json!({ "path": "out.xlsx", "by": "region" }), &[("in", "region,n:integer\nNord/Est,1\n,2\nNord/Est,3")])
        .unwrap();
    assert_eq!(cells(&file, "Nord-Est"), [["region", "n"], ["Nord/Est", "1"], ["Nord/Est", "3"]]);
    assert_eq!(cells(&file, "(empty)")[1][1], "2");
}

fn template(folder: &Path) {
    let mut workbook = Workbook::new();
    let euro = Format::new().set_num_format("#,##0.00 €").set_background_color("#FFEECC");
    let sheet = workbook.add_worksheet().set_name("Rapport d'août").unwrap();
    sheet.write(0, 0, "Commissions").unwrap();
    sheet.write(3, 1, "Owner").unwrap().write(3, 2, "Amount").unwrap();
    sheet.write_blank(4, 2, &euro).unwrap();
    sheet.write(4, 5, "beside").unwrap();
    sheet.write_formula(20, 2, Formula::new("=SUM(C5:C20)")).unwrap();
    workbook.add_worksheet().set_name("Other").unwrap().write(0, 0, "kept").unwrap();
    workbook.define_name("Lines", "='Rapport d''août'!$B$5").unwrap();
    workbook.define_name("Small", "='Rapport d''août'!$B$5:$C$6").unwrap();
    workbook.define_name("Sums", "='Rapport d''août'!$C$21").unwrap();
    workbook.save(folder.join("t.xlsx")).unwrap();
}

#[test]
fn a_template_keeps_all_but_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    template(folder.path());
    let rows = "owner,amount:decimal(2),day:date\nZoë & Fils,1234.50,2026-09-30\n  Bob ,-0.05,\nAnn,7.00,2026-01-01";
    let params = |place: &str| json!({ "path": "out.xlsx", "template": "t.xlsx", "place": place });
    written(folder.path(), params("Lines"), &[("in", rows)]).unwrap();
    let file = folder.path().join("out.xlsx");
    let found = cells(&file, "Rapport d'août");
    assert_eq!(found[0][0], "Commissions");
    assert_eq!(found[4][1..], ["Zoë & Fils", "1234.5", "46295", "", "beside"]);
    assert_eq!(found[5][1..3], ["  Bob ", "-0.05"]);
    assert_eq!(found[6][1..4], ["Ann", "7", "46023"]);
    assert_eq!(cells(&file, "Other"), [["kept"]]);
    let mut workbook: Xlsx<_> = open_workbook(&file).unwrap();
    assert_eq!(workbook.worksheet_formula("Rapport d'août").unwrap().get_value((20, 2)).unwrap(), "SUM(C5:C20)");
    // The format of the first row goes on below it.
    let mut archive = zip::ZipArchive::new(std::fs::File::open(&file).unwrap()).unwrap();
    let mut sheet = String::new();
    std::io::Read::read_to_string(&mut archive.by_name("xl/worksheets/sheet1.xml").unwrap(), &mut sheet).unwrap();
    let style = |cell: &str| sheet.split(&format!("r=\"{cell}\" s=\"")).nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned);
    assert!(style("C5").is_some() && style("C5") == style("C7"), "{sheet}");

    let two = "owner,amount:decimal(2)\nA,1.00\nB,2.00";
    written(folder.path(), params("Small"), &[("in", two)]).unwrap();
    for (place, rows, words) in [
        ("Small", "owner,amount:decimal(2)\nA,1.00\nB,2.00\nC,3.00", "has room for 2 rows"),
        ("Small", rows, "fewer columns"),
        ("Sums", two, "a formula in row 21"),
        ("Nowhere", two, "its ranges are \"Lines\", \"Small\", \"Sums\""),
        ("Sheet9!A1", two, "no sheet \"Sheet9\""),
    ] {
        let said = written(folder.path(), params(place), &[("in", rows)]).unwrap_err();
        assert!(said.contains(words), "{place}: {said}");
    }
}
