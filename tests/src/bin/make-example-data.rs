//! Writes the data of `examples/commissions` anew: `cargo run -p weir-tests --bin make-example-data`.

use std::error::Error;
use std::path::Path;

use weir_tests::commissions;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/commissions/data");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("deals.csv"), commissions::deals_csv(false))?;
    std::fs::write(folder.join("deals_altered.csv"), commissions::deals_csv(true))?;
    std::fs::write(folder.join("crm_totals.csv"), commissions::totals_csv())?;
    std::fs::write(folder.join("quotas.xlsx"), commissions::quotas_xlsx()?)?;
    Ok(())
}
