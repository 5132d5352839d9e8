//! Lets `huenet` find the LibTorch that it was linked with wherever it is started from.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    let var = |name: &str| std::env::var(name).ok();
    let unix = var("CARGO_CFG_TARGET_FAMILY").is_some_and(|family| family == "unix");
    if var("CARGO_FEATURE_TCH").is_some()
        && unix
        && let Some(libtorch) = var("LIBTORCH")
    {
        println!("cargo:rustc-link-arg-bins=-Wl,-rpath,{libtorch}/lib");
    }
}
