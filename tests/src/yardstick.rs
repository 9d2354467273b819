//! The yardsticks' data, and the digest every engine must give for them.
//!
//! All pseudo-randomness is integer arithmetic on the row number, so any engine makes the same rows. Scale 1 is ten
//! million deals; 0.01 serves tests.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::util::display::array_value_to_string;
use md5::{Digest, Md5};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rust_decimal::Decimal;

/// The digests at scale 0.01 that reference engines agree on.
pub const EXPECTED: [(&str, &str); 5] = [
    ("W1", "rows=10422 month=67774 arr=1206046492.18 quota=638068200 commission=153626441.43 md5=dc607cf5f8b973aef16864d6dbac7d20"),
    ("W2", "rows=37 doc_id=224553 debit=1496112.12 credit=1496112.49 difference=-0.37 md5=1ab35d3a09851f8a1360241880869317"),
    (
        "W4",
        "rows=1000 1=103558291.7 2=94947972.39 3=106000000.87 4=99487133.28 5=102568989.68 6=102770704.25 7=106358050.16 8=105480158.12 9=104409816.05 10=109323745.23 11=103832975.14 12=105227879.72 md5=d6f8b05a598dd0d794ead9a7cb47eb4d",
    ),
    ("W5", "rows=48 month=312 orders=23280 amount=56554905.84 md5=f38da09721d6a022b92553966beadb4f"),
    ("W6", "rows=250 account_id=588775 arr=138767732.16 rank=1375 md5=cb08ba7883b692d06a2893a6d0b15ba2"),
];

const PRIME: i64 = 2_147_483_647;

fn mix(i: i64, salt: i64) -> i64 {
    let step = (i * (48_271 + salt * 4099) + salt * 104_729) % PRIME;
    (step * step + step / 65_536) % PRIME
}

/// Days since 1970 of 2025-01-01.
const YEAR: i32 = 20_089;

fn day(days: i64) -> i32 {
    YEAR + days as i32
}

fn iso(days: i32) -> String {
    array_value_to_string(&Date32Array::from(vec![days]), 0).unwrap_or_default()
}

fn cents(value: i64) -> String {
    format!("{}.{:02}", value / 100, value % 100)
}

fn money(values: impl Iterator<Item = i64>) -> io::Result<ArrayRef> {
    let array = values.map(|value| Some(i128::from(value))).collect::<Decimal128Array>();
    Ok(Arc::new(array.with_precision_and_scale(18, 2).map_err(io::Error::other)?))
}

fn write_parquet(path: &Path, columns: Vec<(&str, ArrayRef)>) -> io::Result<()> {
    let fields: Vec<Field> = columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(io::Error::other)?;
    let properties = parquet::file::properties::WriterProperties::builder().set_max_row_group_row_count(Some(122_880)).build();
    let mut writer = ArrowWriter::try_new(File::create(path)?, batch.schema(), Some(properties))?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(())
}

struct Deal {
    owner: String,
    product: String,
    region: &'static str,
    stage: &'static str,
    close: i32,
    arr: i64,
    currency: &'static str,
    account: i64,
}

fn deal(i: i64, accounts: i64) -> Deal {
    Deal {
        owner: format!("owner_{:04}", mix(i, 1) % 1000),
        product: format!("P{:03}", mix(i, 2) % 200),
        region: ["EMEA", "AMER", "APAC"][(mix(i, 3) % 3) as usize],
        stage: ["Closed Won", "Closed Lost", "Negotiation", "Prospecting"][(mix(i, 4) % 4) as usize],
        close: day(mix(i, 5) % 365),
        arr: mix(i, 6) % 10_000_000,
        currency: ["EUR", "USD", "GBP"][(mix(i, 7) % 3) as usize],
        account: mix(i, 8) % accounts,
    }
}

/// Writes the data for these workloads into a folder. `hundredths` is the scale in hundredths: 1 is 0.01, 100 is 1.
pub fn generate(folder: &Path, hundredths: i64) -> io::Result<()> {
    std::fs::create_dir_all(folder.join("months"))?;
    let deals = 100_000 * hundredths;
    let accounts = (5000 * hundredths).max(1000);
    deals_files(folder, deals, accounts)?;

    let mut out = create(folder, "plans.csv", "product,plan")?;
    for i in 0..194 {
        writeln!(out, "P{i:03},plan_{}", i % 7)?;
    }
    out.flush()?;
    let mut out = create(folder, "quotas.csv", "owner,month,quota")?;
    for owner in 0..1000 {
        for month in 1..=12 {
            let quota = (5 + mix(owner * 12 + month, 9) % 20) * ((deals / 1000).max(10) * 42);
            writeln!(out, "owner_{owner:04},{month},{quota}.00")?;
        }
    }
    out.flush()?;
    let segment = |i| format!("seg_{}", mix(i, 10) % 25);
    let country = |i| ["FR", "DE", "ES", "SN", "US", "GB"][(mix(i, 11) % 6) as usize];
    write_parquet(
        &folder.join("accounts.parquet"),
        vec![
            ("account_id", Arc::new(Int64Array::from_iter_values(0..accounts))),
            ("name", Arc::new(StringArray::from_iter_values((0..accounts).map(|i| format!("Account {i}"))))),
            ("segment", Arc::new(StringArray::from_iter_values((0..accounts).map(segment)))),
            ("country", Arc::new(StringArray::from_iter_values((0..accounts).map(country)))),
        ],
    )?;
    journal(folder, 12_500 * hundredths)?;
    months(folder, (2000 * hundredths).max(500))
}

fn create(folder: &Path, name: &str, header: &str) -> io::Result<BufWriter<File>> {
    let mut out = BufWriter::new(File::create(folder.join(name))?);
    writeln!(out, "{header}")?;
    Ok(out)
}

fn deals_files(folder: &Path, deals: i64, accounts: i64) -> io::Result<()> {
    let mut out = create(folder, "deals.csv", "deal_id,owner,product,region,stage,close_date,arr,currency,account_id")?;
    let dates: Vec<String> = (0..365).map(|d| iso(day(d))).collect();
    for i in 0..deals {
        let Deal { owner, product, region, stage, close, arr, currency, account } = deal(i, accounts);
        let date = &dates[(close - YEAR) as usize];
        writeln!(out, "{i},{owner},{product},{region},{stage},{date},{},{currency},{account}", cents(arr))?;
    }
    out.flush()?;
    let all: Vec<Deal> = (0..deals).map(|i| deal(i, accounts)).collect();
    write_parquet(
        &folder.join("deals.parquet"),
        vec![
            ("deal_id", Arc::new(Int64Array::from_iter_values(0..deals))),
            ("owner", Arc::new(StringArray::from_iter_values(all.iter().map(|d| &d.owner)))),
            ("product", Arc::new(StringArray::from_iter_values(all.iter().map(|d| &d.product)))),
            ("region", Arc::new(StringArray::from_iter_values(all.iter().map(|d| d.region)))),
            ("stage", Arc::new(StringArray::from_iter_values(all.iter().map(|d| d.stage)))),
            ("close_date", Arc::new(Date32Array::from_iter_values(all.iter().map(|d| d.close)))),
            ("arr", money(all.iter().map(|d| d.arr))?),
            ("currency", Arc::new(StringArray::from_iter_values(all.iter().map(|d| d.currency)))),
            ("account_id", Arc::new(Int64Array::from_iter_values(all.iter().map(|d| d.account)))),
        ],
    )
}

/// Four lines each; 37 documents are out of balance by one cent.
fn journal(folder: &Path, docs: i64) -> io::Result<()> {
    let mut out = create(folder, "gl.csv", "doc_id,line_no,entity,partner,account,posted,debit,credit")?;
    let every = (docs / 37).max(1);
    for d in 0..docs {
        // In cents; a fifth of a whole number never ends in a half.
        let amount = 1000 + mix(d, 19) % 9_000_000;
        let (net, tax) = ((amount * 8 + 5) / 10, (amount * 2 + 5) / 10);
        let off = i64::from(d % every == 3 && d / every < 37);
        let partner = if d % 5 == 0 { format!("E{}", (d + 1) % 12) } else { String::new() };
        let posted = iso(day(d % 365));
        let lines = [(601_000, net, 0), (445_660, tax, 0), (401_000, 0, net + tax + off), (512_000, 0, 0)];
        for (line, (account, debit, credit)) in lines.into_iter().enumerate() {
            let account = account + mix(d, 18) % 40;
            writeln!(out, "{d},{},E{},{partner},{account},{posted},{},{}", line + 1, d % 12, cents(debit), cents(credit))?;
        }
    }
    out.flush()
}

/// Twelve files: columns in three orders, dates in two spellings, padded text, some orders twice.
fn months(folder: &Path, rows: i64) -> io::Result<()> {
    for month in 1..=12_i64 {
        let names = ["order_id", "city", "sold_on", "amount", "seq"];
        let order: [usize; 5] = [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 3, 4, 0, 1]][(month % 3) as usize];
        let mut out = create(folder, &format!("months/{month:02}.csv"), &order.map(|i| names[i]).join(","))?;
        for i in 0..rows {
            let id = if i % 33 == 0 && i > 0 { i - 1 } else { i } + month * 10_000_000;
            let city = ["Dakar", "THIES", "rufisque", "Pikine "][(mix(i, 20) % 4) as usize];
            let date = 1 + mix(i, 21) % 28;
            let sold = if month % 2 == 1 { format!("{date:02}/{month:02}/2025") } else { format!("2025-{month:02}-{date:02}") };
            let cells = [id.to_string(), format!("  {city} "), sold, cents(mix(i, 22) % 500_000), i.to_string()];
            writeln!(out, "{}", order.map(|i| cells[i].as_str()).join(","))?;
        }
        out.flush()?;
    }
    Ok(())
}

/// The digest of a result: rows, the exact sum of each numeric column, and the MD5 of the rows as sorted CSV text.
pub fn digest(batches: &[RecordBatch]) -> io::Result<String> {
    let mut rows = Vec::new();
    let mut sums: Vec<(String, Option<Decimal>)> = Vec::new();
    for batch in batches {
        if sums.is_empty() {
            sums = batch
                .schema()
                .fields()
                .iter()
                .map(|field| {
                    let number = matches!(field.data_type(), DataType::Int64 | DataType::Decimal128(_, _));
                    (field.name().clone(), number.then_some(Decimal::ZERO))
                })
                .collect();
        }
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|array| cell(array, row)).collect::<io::Result<Vec<_>>>()?;
            for ((_, sum), cell) in sums.iter_mut().zip(&cells) {
                if let (Some(sum), false) = (sum, cell.is_empty()) {
                    *sum += cell.parse::<Decimal>().map_err(io::Error::other)?;
                }
            }
            rows.push(cells.join(","));
        }
    }
    rows.sort_unstable();
    let mut text = format!("rows={}", rows.len());
    for (name, sum) in &sums {
        if let Some(sum) = sum {
            // Writing to a string cannot fail.
            let _ = write!(text, " {name}={}", sum.normalize());
        }
    }
    let md5 = Md5::digest(rows.join("\n").as_bytes());
    text.push_str(" md5=");
    for byte in md5 {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

fn cell(array: &ArrayRef, row: usize) -> io::Result<String> {
    if array.is_null(row) {
        return Ok(String::new());
    }
    let text = array_value_to_string(array, row).map_err(io::Error::other)?;
    if matches!(array.data_type(), DataType::Decimal128(_, _)) {
        let number: Decimal = text.parse().map_err(io::Error::other)?;
        return Ok(number.normalize().to_string());
    }
    Ok(text)
}

/// The digest of a Parquet file.
pub fn digest_of_parquet(path: &Path) -> io::Result<String> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?.build()?;
    digest(&reader.collect::<Result<Vec<_>, _>>().map_err(io::Error::other)?)
}
