//! A file as UTF-8 text, whatever it is compressed with and whatever its encoding.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use encoding_rs::{Decoder, Encoding, UTF_8};

/// How much of a file is looked at to guess its encoding.
const LOOK: usize = 32 * 1024 * 1024;

/// The bytes of a file, decompressed when they are gzip or Zstandard, whatever its name.
fn bytes(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    let mut file = File::open(path)?;
    let mut magic = [0; 4];
    let mut read = 0;
    while read < magic.len() {
        match file.read(&mut magic[read..])? {
            0 => break,
            n => read += n,
        }
    }
    let file = File::open(path)?;
    Ok(match &magic[..read] {
        [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(file))),
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(zstd::stream::read::Decoder::new(file)?),
        _ => Box::new(file),
    })
}

/// What is known of a file's encoding.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) encoding: &'static Encoding,
    /// Whether it was guessed from the bytes, and may be wrong.
    pub(crate) guessed: bool,
}

/// The encoding of a file: by its byte-order mark, else UTF-8 where the bytes are that, else a guess.
pub(crate) fn encoding(path: &Path) -> io::Result<Found> {
    let mut sample = Vec::new();
    bytes(path)?.take(LOOK as u64).read_to_end(&mut sample)?;
    if let Some((encoding, _)) = Encoding::for_bom(&sample) {
        return Ok(Found { encoding, guessed: false });
    }
    let utf8 = match std::str::from_utf8(&sample) {
        Ok(_) => true,
        // Cut in the middle of a character is no error.
        Err(error) => error.error_len().is_none() && sample.len() == LOOK,
    };
    if utf8 {
        return Ok(Found { encoding: UTF_8, guessed: false });
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(&sample, true);
    Ok(Found { encoding: detector.guess(None, chardetng::Utf8Detection::Deny), guessed: true })
}

/// A file as UTF-8 bytes without a byte-order mark. Bytes that are not of the encoding are an error that names the
/// place.
pub(crate) fn text(path: &Path, encoding: &'static Encoding) -> io::Result<Box<dyn Read + Send>> {
    let mut source = bytes(path)?;
    if encoding == UTF_8 {
        let mut start = [0; 3];
        let mut read = 0;
        while read < start.len() {
            match source.read(&mut start[read..])? {
                0 => break,
                n => read += n,
            }
        }
        let kept = if start[..read] == [0xef, 0xbb, 0xbf] { vec![] } else { start[..read].to_vec() };
        return Ok(Box::new(io::Cursor::new(kept).chain(source)));
    }
    let decoder = encoding.new_decoder_with_bom_removal();
    Ok(Box::new(Decoded { source, decoder, encoding, raw: vec![0; 64 * 1024], from: 0, to: 0, consumed: 0, ended: false, done: false }))
}

struct Decoded {
    source: Box<dyn Read + Send>,
    decoder: Decoder,
    encoding: &'static Encoding,
    raw: Vec<u8>,
    from: usize,
    to: usize,
    consumed: u64,
    ended: bool,
    done: bool,
}

impl Read for Decoded {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.len() < 8 {
            // Too small for any character: the callers here always offer more.
            return Err(io::Error::other("the buffer is too small"));
        }
        while !self.done {
            if self.from == self.to && !self.ended {
                self.to = self.source.read(&mut self.raw)?;
                self.from = 0;
                self.ended = self.to == 0;
            }
            let input = &self.raw[self.from..self.to];
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(input, out, self.ended);
            self.from += read;
            self.consumed += read as u64;
            match result {
                encoding_rs::DecoderResult::Malformed(_, _) => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        format!("byte {} is not {}", self.consumed, self.encoding.name()),
                    ));
                }
                encoding_rs::DecoderResult::InputEmpty if self.ended => self.done = true,
                encoding_rs::DecoderResult::InputEmpty | encoding_rs::DecoderResult::OutputFull => {}
            }
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }
}
