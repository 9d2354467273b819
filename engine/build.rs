//! Puts the packages of `templates/` into the program, so that they install from nothing but it.

use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() {
    // Another folder of packages may be built in.
    let own = || PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../templates");
    let templates = std::env::var_os("WEIR_TEMPLATES").map_or_else(own, PathBuf::from);
    println!("cargo::rerun-if-env-changed=WEIR_TEMPLATES");
    println!("cargo::rerun-if-changed={}", templates.display());
    let mut list = String::from("&[\n");
    let mut packages: Vec<PathBuf> = entries(&templates).into_iter().filter(|folder| folder.join("package.json").is_file()).collect();
    packages.sort();
    for package in packages {
        let id = package.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut files = Vec::new();
        walk(&package, &mut files);
        files.sort();
        for file in files {
            let inner = file.strip_prefix(&package).unwrap_or(&file).to_string_lossy().replace('\\', "/");
            let _ = writeln!(list, "({id:?}, {inner:?}, include_bytes!({:?})),", file.display().to_string());
        }
    }
    list.push(']');
    let out = PathBuf::from(std::env::var("OUT_DIR").unwrap_or_default()).join("packages.rs");
    if let Err(error) = std::fs::write(&out, list) {
        println!("cargo::error=the packages cannot be listed: {error}");
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for path in entries(folder) {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // What runs and bindings leave in a package's folder is not part of it.
        if name.starts_with('.') || ["__pycache__", "out", "bindings", "data"].contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() { walk(&path, files) } else { files.push(path) }
    }
}
