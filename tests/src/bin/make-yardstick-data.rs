//! Writes the yardsticks' data: `cargo run -p weir-tests --bin make-yardstick-data -- FOLDER [HUNDREDTHS]`.
//! `HUNDREDTHS` is the scale in hundredths: 1 (the default) is 100 000 deals, 100 is ten million.

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let folder = PathBuf::from(args.next().ok_or("name a folder")?);
    let hundredths = args.next().map_or(Ok(1), |text| text.parse())?;
    weir_tests::yardstick::generate(&folder, hundredths)?;
    Ok(())
}
