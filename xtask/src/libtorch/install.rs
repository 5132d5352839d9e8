//! Gets LibTorch from the package index, as the Python package torch.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::library::{LibTorch, Store, VERSION, python};

/// The release of the CUDA runtime that the package on the index is linked to. Its CPU
/// part cannot be loaded without these two small libraries.
const RUNTIME: [&str; 2] = [
    "nvidia-cuda-runtime-cu12==12.8.90",
    "nvidia-cuda-cupti-cu12==12.8.90",
];

/// Only these wheels hold CUDA: the others are CPU-only as they come.
const WITH_CUDA: bool = cfg!(all(target_os = "linux", target_arch = "x86_64"));

/// Installs LibTorch into the store, checks it, and returns it. Until it has passed the
/// check, it lies in a folder aside, which the next set-up removes.
pub(super) fn install(store: &Store, cuda: bool) -> Result<LibTorch> {
    if cfg!(windows) {
        bail!(
            "on Windows, download LibTorch {VERSION} from pytorch.org and set LIBTORCH to its folder"
        );
    }
    if cuda && !WITH_CUDA {
        bail!("LibTorch with CUDA is installed on Linux on x86-64 only");
    }
    let aside = store.folder.join("partial");
    remove(&aside)?;
    let built = aside.join("libtorch");
    let outcome = download(&aside.join("site"), &aside.join("tmp"), cuda)
        .and_then(|()| match WITH_CUDA && !cuda {
            true => lay_out_cpu_part(&aside.join("site"), &built),
            false => lay_out_whole(&aside.join("site"), &built),
        })
        .and_then(|()| {
            println!("Checking it: building and running a matrix product.");
            in_layout(&built, cuda).check(&aside.join("check"))
        })
        .and_then(|()| {
            let kind = if cuda { "cuda" } else { "cpu" };
            let place = store.folder.join(format!("{VERSION}-{kind}"));
            remove(&place)?;
            std::fs::rename(&built, &place)
                .with_context(|| format!("cannot write {}", place.display()))?;
            Ok(in_layout(&place, cuda))
        });
    let cleared = remove(&aside);
    let libtorch = outcome?;
    cleared?;
    Ok(libtorch)
}

/// The LibTorch in a folder that was laid out here.
fn in_layout(folder: &Path, cuda: bool) -> LibTorch {
    match WITH_CUDA && !cuda {
        true => LibTorch::at(folder),
        false => LibTorch::at(folder.join("torch")),
    }
}

/// Installs torch and what it needs.
fn download(site: &Path, tmp: &Path, cuda: bool) -> Result<()> {
    let mut install = installer(site, tmp).with_context(|| {
        format!("or download LibTorch {VERSION} from pytorch.org and set LIBTORCH to its folder")
    })?;
    let size = match (WITH_CUDA, cuda) {
        (true, true) => "3.5 GB; 15 GB of disk while it is set up, 7 GB after",
        (true, false) => "0.9 GB; 4 GB of disk while it is set up, 0.7 GB after",
        (false, _) => "about 0.1 GB",
    };
    println!(
        "Installing LibTorch {VERSION} from the package index with {} ({size}).",
        install.get_program().display()
    );
    install.arg(format!("torch=={VERSION}"));
    if !cuda {
        install.arg("--no-deps");
        if WITH_CUDA {
            install.args(RUNTIME);
        }
    }
    let status = install
        .status()
        .with_context(|| format!("cannot start {}", install.get_program().display()))?;
    if !status.success() {
        bail!("the package installer failed ({status}); its own message is above");
    }
    Ok(())
}

/// A command of pip, or of uv where there is no pip, that installs packages into the folder `site`.
///
/// # Errors
///
/// If there is neither.
pub(crate) fn installer(site: &Path, tmp: &Path) -> Result<Command> {
    std::fs::create_dir_all(tmp).with_context(|| format!("cannot write {}", tmp.display()))?;
    let python = python();
    let answers = |command: &mut Command| {
        let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
        quiet
            .arg("--version")
            .status()
            .is_ok_and(|status| status.success())
    };
    let mut install = if answers(Command::new(&python).args(["-m", "pip"])) {
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip"]);
        pip
    } else if answers(Command::new("uv").arg("pip")) {
        let mut uv = Command::new("uv");
        uv.arg("pip");
        uv
    } else {
        bail!(
            "installing needs pip (`{} -m pip` does not work) or uv",
            python.display()
        );
    };
    // LibTorch itself needs no Python, so the package for any version of Python will do.
    install
        .args(["install", "--only-binary=:all:", "--python-version", "3.12"])
        .arg("--target")
        .arg(site)
        // Packages are unpacked where there is room, and no files stay in other places.
        .env("TMPDIR", tmp);
    Ok(install)
}

/// The package as it comes, in a folder `torch` beside its dependencies, where it finds
/// them.
fn lay_out_whole(site: &Path, folder: &Path) -> Result<()> {
    rename(site, folder)?;
    name_openmp(&folder.join("torch/lib"))
}

/// Only the part that computes on the CPU, of a package that was built with CUDA.
fn lay_out_cpu_part(site: &Path, folder: &Path) -> Result<()> {
    let lib = folder.join("lib");
    std::fs::create_dir_all(&lib).with_context(|| format!("cannot write {}", lib.display()))?;
    rename(&site.join("torch/include"), &folder.join("include"))?;
    let libraries = [
        "torch/lib/libtorch_cpu.so",
        "torch/lib/libc10.so",
        "torch/lib/libgomp.so.1",
        "nvidia/cuda_runtime/lib/libcudart.so.12",
        "nvidia/cuda_cupti/lib/libcupti.so.12",
    ];
    for library in libraries.map(Path::new) {
        let Some(name) = library.file_name() else {
            continue;
        };
        rename(&site.join(library), &lib.join(name))?;
    }
    name_openmp(&lib)?;
    stub(&lib.join("libtorch.so"))?;
    // The licences of the libraries are copied with them.
    for entry in
        std::fs::read_dir(site).with_context(|| format!("cannot list {}", site.display()))?
    {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "dist-info")
            && let Some(name) = path.file_name()
        {
            rename(&path, &folder.join(name))?;
        }
    }
    let version = folder.join("build-version");
    std::fs::write(&version, format!("{VERSION}\n"))
        .with_context(|| format!("cannot write {}", version.display()))
}

/// The linker looks for `libgomp.so`.
fn name_openmp(lib: &Path) -> Result<()> {
    let (versioned, plain) = (lib.join("libgomp.so.1"), lib.join("libgomp.so"));
    if versioned.exists() && !plain.exists() {
        std::fs::copy(&versioned, &plain)
            .with_context(|| format!("cannot write {}", plain.display()))?;
    }
    Ok(())
}

/// An empty libtorch.so. The package's own only asks for the CUDA part.
fn stub(library: &Path) -> Result<()> {
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let output = Command::new(&compiler)
        .args(["-shared", "-fPIC", "-x", "c", "/dev/null", "-o"])
        .arg(library)
        .arg("-Wl,-soname,libtorch.so")
        .output()
        .with_context(|| {
            format!(
                "building needs a C compiler; `{}` does not start (set CC for another)",
                compiler.display()
            )
        })?;
    if !output.status.success() {
        bail!(
            "cannot build {}: {}",
            library.display(),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).with_context(|| {
        let (from, to) = (from.display(), to.display());
        format!("cannot move {from} to {to}")
    })
}

/// Removes a folder, if it is there.
fn remove(folder: &PathBuf) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
