//! The kernels as CUDA: the source that CubeCL makes of them, compiled by NVIDIA's compiler for
//! programs that run, NVRTC. That needs no card; to run them does.
//!
//! NVRTC is looked for where the loader looks, the headers in `CUDA_PATH`. Where it is not found the
//! test says that it was skipped, unless `HUENET_NEED_NVRTC` is set.

use std::ffi::{CStr, CString, c_char, c_int, c_void};

use cubecl::cuda::CudaRuntime;
use cubecl::prelude::*;
use cubecl::{Compiler, Runtime};
use libloading::Library;

use super::gradients::Wanted;
use super::place::{Grid, GridLaunch};
use super::row::{self, Terms, TermsLaunch};
use super::{gradients, joint, losses, marginal};
use crate::terms::{EmdKind, StructureKind};
use crate::{Binning, Bins, Boundary, Kernel};

type Launcher = KernelLauncher<CudaRuntime>;

/// The architectures to compile for, as far as the compiler knows them: the oldest that CUDA 12 has
/// all of, the oldest of CUDA 13, and two of today.
const ARCHITECTURES: [(c_int, &str); 4] =
    [(70, "sm_70"), (75, "sm_75"), (80, "sm_80"), (90, "sm_90a")];

#[test]
fn kernels_compile_as_cuda() {
    let Some(compiler) = Nvrtc::load() else {
        assert!(
            std::env::var_os("HUENET_NEED_NVRTC").is_none(),
            "there is no NVRTC"
        );
        eprintln!("skipped: there is no NVRTC");
        return;
    };
    let known = compiler.architectures();
    let architectures: Vec<&str> = ARCHITECTURES
        .into_iter()
        .filter(|(number, _)| known.contains(number))
        .map(|(_, name)| name)
        .collect();
    assert!(!architectures.is_empty(), "NVRTC knows {known:?}");
    let mut compiled = 0;
    for boundary in [Boundary::Reflect, Boundary::Wrap, Boundary::Open] {
        for ratio in [0.25, 2.5] {
            let binning = Binning {
                bins: Bins::new(256, -1.0, 1.0).unwrap(),
                kernel: Kernel::new(ratio, boundary).unwrap(),
            };
            for (name, source) in sources(&binning) {
                for architecture in &architectures {
                    let size = compiler.compile(&source, architecture);
                    let size = size.unwrap_or_else(|log| {
                        panic!("{name}, {binning}, {architecture}:\n{log}\n{source}")
                    });
                    assert!(size > 0);
                    compiled += 1;
                }
            }
        }
    }
    eprintln!("{compiled} programs compiled, for {architectures:?}");
}

/// What CubeCL makes of each kernel.
fn sources(binning: &Binning) -> Vec<(&'static str, String)> {
    let of_sums = sources_of_sums(binning);
    let of_gradients = sources_of_gradients(binning);
    let all_kinds = [
        (EmdKind::Rms, StructureKind::ConditionalEntropy),
        (EmdKind::Squared, StructureKind::RelativeMutualInformation),
        (EmdKind::L1, StructureKind::NegativeMutualInformation),
        (EmdKind::L1, StructureKind::NormalisedMutualInformation),
    ];
    let of_losses = all_kinds.map(|kinds| source_of_losses(binning, kinds));
    [of_sums, of_gradients, of_losses.to_vec()].concat()
}

fn sources_of_sums(binning: &Binning) -> Vec<(&'static str, String)> {
    let each = CubeDim::new_1d(256);
    let (tiles, edges) = joint::tiles_and_edges(binning.kernel);
    vec![
        source("sort", CubeDim::new_1d(1024), |builder, launcher| {
            let (x, y) = (input(builder), input(builder));
            let (order, undefined) = (output::<u32>(builder), output::<u32>(builder));
            let sums = output::<Atomic<u32>>(builder);
            let grid = grid(binning, builder, launcher);
            let numbers = [(); 4].map(|()| whole(builder, launcher));
            let [pixels, chunk, blocks, words] = numbers;
            let scope = &mut builder.scope;
            joint::sort::expand(
                scope, x, y, order, undefined, sums, grid, pixels, chunk, blocks, words, edges,
                1024,
            );
        }),
        source(
            "joint_sums",
            CubeDim::new_1d(joint::UNITS),
            |builder, launcher| {
                let (x, y, order) = (input(builder), input(builder), input::<u32>(builder));
                let sums = output::<Atomic<u32>>(builder);
                let grid = grid(binning, builder, launcher);
                let [pixels, words, spans] = [(); 3].map(|()| whole(builder, launcher));
                let scope = &mut builder.scope;
                joint::joint_sums::expand(
                    scope, x, y, order, sums, grid, pixels, words, spans, tiles, edges,
                );
            },
        ),
        source("joint_finish", each, |builder, launcher| {
            let (sums, undefined) = (input::<u32>(builder), input::<u32>(builder));
            let joint = output::<f32>(builder);
            let grid = grid(binning, builder, launcher);
            let [chunks, words] = [(); 2].map(|()| whole(builder, launcher));
            let scale = real(builder, launcher);
            let scope = &mut builder.scope;
            joint::joint_finish::expand(scope, sums, undefined, joint, grid, chunks, words, scale);
        }),
        source(
            "marginal_sums",
            CubeDim::new_1d(marginal::UNITS),
            |builder, launcher| {
                let (x, along) = (input(builder), input(builder));
                let sums = output::<Atomic<u32>>(builder);
                let grid = grid(binning, builder, launcher);
                let [pixels, chunk, directions] = [(); 3].map(|()| whole(builder, launcher));
                let scope = &mut builder.scope;
                marginal::marginal_sums::expand(
                    scope, x, along, sums, grid, pixels, chunk, directions, true,
                );
            },
        ),
        source("marginal_finish", each, |builder, launcher| {
            let (sums, p) = (input::<u32>(builder), output::<f32>(builder));
            let grid = grid(binning, builder, launcher);
            let (chunks, scale) = (whole(builder, launcher), real(builder, launcher));
            marginal::marginal_finish::expand(&mut builder.scope, sums, p, grid, chunks, scale);
        }),
    ]
}

fn sources_of_gradients(binning: &Binning) -> Vec<(&'static str, String)> {
    let units = CubeDim::new_1d(256);
    let of_marginal = source("marginal_gradient", units, |builder, launcher| {
        let (x, grad, gradient) = (input(builder), input(builder), output::<f32>(builder));
        let grid = grid(binning, builder, launcher);
        let (pixels, scale) = (whole(builder, launcher), real(builder, launcher));
        marginal::marginal_gradient::expand(
            &mut builder.scope,
            x,
            grad,
            gradient,
            grid,
            pixels,
            scale,
        );
    });
    let along = source("directional_gradient", units, |builder, launcher| {
        let (x, along, grad) = (input(builder), input(builder), input(builder));
        let gradient = output::<f32>(builder);
        let grid = grid(binning, builder, launcher);
        let [pixels, directions] = [(); 2].map(|()| whole(builder, launcher));
        let scale = real(builder, launcher);
        let scope = &mut builder.scope;
        marginal::directional_gradient::expand(
            scope, x, along, grad, gradient, grid, pixels, directions, scale,
        );
    });
    let (tiles, edges) = joint::tiles_and_edges(binning.kernel);
    let of_both = source(
        "gradients",
        CubeDim::new_1d(joint::UNITS),
        |builder, launcher| {
            let wanted = Wanted {
                of_x: true,
                of_y: true,
                losses: true,
            };
            let (x, y, order) = (input(builder), input(builder), input::<u32>(builder));
            let (of_p, of_joint, grad) = (input(builder), input(builder), input(builder));
            let (of_x, of_y) = (output::<f32>(builder), output::<f32>(builder));
            let grid = grid(binning, builder, launcher);
            let [pixels, spans] = [(); 2].map(|()| whole(builder, launcher));
            let scale = real(builder, launcher);
            let scope = &mut builder.scope;
            gradients::gradients::expand(
                scope, x, y, order, of_p, of_joint, grad, of_x, of_y, grid, pixels, spans, scale,
                wanted, tiles, edges,
            );
        },
    );
    vec![of_marginal, along, of_both]
}

fn source_of_losses(
    binning: &Binning,
    (distance, structure): (EmdKind, StructureKind),
) -> (&'static str, String) {
    source(
        "losses",
        CubeDim::new_1d(row::UNITS),
        |builder, launcher| {
            let (sums, undefined) = (input::<u32>(builder), input::<u32>(builder));
            let target = input::<f32>(builder);
            let [values, of_p, of_joint, along] = [(); 4].map(|()| output::<f32>(builder));
            let grid = grid(binning, builder, launcher);
            let cyclic = binning.kernel.boundary() == Boundary::Wrap;
            let terms = TermsLaunch::new(1, 1, 1.0, 1.0, distance, cyclic, structure);
            let terms = Terms::expand(&Terms::register(terms, launcher), builder);
            let scope = &mut builder.scope;
            losses::losses::expand(
                scope, sums, undefined, target, values, of_p, of_joint, along, grid, terms, true,
            );
        },
    )
}

/// A kernel's source, as CubeCL makes it when it is launched without checks; `define` does what the
/// launch does with the arguments.
fn source(
    name: &'static str,
    cube: CubeDim,
    define: impl FnOnce(&mut KernelBuilder, &mut Launcher),
) -> (&'static str, String) {
    let settings = KernelSettings::default().cube_dim(cube).kernel_name(name);
    let mut builder = KernelBuilder::default();
    builder.runtime_properties(CudaRuntime::target_properties());
    settings.address_type.register(&mut builder.scope);
    let mut launcher = Launcher::new(settings.clone());
    define(&mut builder, &mut launcher);
    let address = settings.address_type.unsigned_type();
    let kernel = builder.build(settings);
    let mut options =
        <<CudaRuntime as Runtime>::Compiler as Compiler>::CompilationOptions::default();
    // As on every card since Volta, like the 32 units of a warp that it assumes.
    options.supports_features.fast_math = true;
    options.supports_features.grid_constants = true;
    let mut compiler = <CudaRuntime as Runtime>::Compiler::default();
    let program = compiler.compile(kernel, &options, ExecutionMode::Unchecked, address);
    (name, program.expect("CubeCL can compile it").to_string())
}

fn input<C: CubePrimitive>(builder: &mut KernelBuilder) -> <Array<C> as CubeType>::ExpandType {
    Array::<C>::expand(&ArrayCompilationArg { inplace: None }, builder)
}

fn output<C: CubePrimitive>(builder: &mut KernelBuilder) -> <Array<C> as CubeType>::ExpandType {
    Array::<C>::expand_output(&ArrayCompilationArg { inplace: None }, builder)
}

fn grid(
    binning: &Binning,
    builder: &mut KernelBuilder,
    launcher: &mut Launcher,
) -> <Grid as CubeType>::ExpandType {
    let argument = Grid::register(GridLaunch::of(binning), launcher);
    Grid::expand(&argument, builder)
}

fn whole(builder: &mut KernelBuilder, launcher: &mut Launcher) -> <u32 as CubeType>::ExpandType {
    <u32 as LaunchArg>::register(1, launcher);
    u32::expand(&(), builder)
}

fn real(builder: &mut KernelBuilder, launcher: &mut Launcher) -> <f32 as CubeType>::ExpandType {
    <f32 as LaunchArg>::register(1.0, launcher);
    f32::expand(&(), builder)
}

/// NVIDIA's compiler, loaded.
struct Nvrtc {
    library: Library,
}

/// A program in it.
type Program = *mut c_void;

#[expect(
    unsafe_code,
    reason = "NVRTC is a C library that is loaded when the test runs"
)]
impl Nvrtc {
    /// The first that the loader finds.
    fn load() -> Option<Self> {
        let names = [
            "libnvrtc.so.12",
            "libnvrtc.so.13",
            "libnvrtc.so",
            "nvrtc64_120_0.dll",
            "nvrtc64_130_0.dll",
        ];
        // SAFETY: loading it runs its own initialisation, nothing else.
        let library = names
            .into_iter()
            .find_map(|name| unsafe { Library::new(name) }.ok())?;
        Some(Self { library })
    }

    /// The architectures that it compiles for, by their numbers.
    fn architectures(&self) -> Vec<c_int> {
        let mut count = 0;
        // SAFETY: the functions have these types in NVRTC's header since CUDA 11.2; the second writes
        // as many numbers as the first says.
        unsafe {
            let counted: Function<unsafe extern "C" fn(*mut c_int) -> c_int> =
                self.function(c"nvrtcGetNumSupportedArchs");
            let listed: Function<unsafe extern "C" fn(*mut c_int) -> c_int> =
                self.function(c"nvrtcGetSupportedArchs");
            assert_eq!(counted(&raw mut count), 0);
            let mut numbers = vec![0; usize::try_from(count).unwrap()];
            assert_eq!(listed(numbers.as_mut_ptr()), 0);
            numbers
        }
    }

    /// Compiles a program for an architecture; the size of the machine code, or what the compiler says
    /// against it.
    fn compile(&self, source: &str, architecture: &str) -> Result<usize, String> {
        let source = CString::new(source).unwrap();
        let mut options = vec![format!("--gpu-architecture={architecture}")];
        if let Some(folder) = cubecl::cuda::install::cuda_path() {
            options.push(format!(
                "--include-path={}",
                folder.join("include").display()
            ));
        }
        let options: Vec<CString> = options
            .into_iter()
            .map(|option| CString::new(option).unwrap())
            .collect();
        let options: Vec<*const c_char> = options.iter().map(|option| option.as_ptr()).collect();
        let mut program: Program = std::ptr::null_mut();
        let mut size = 0;
        // SAFETY: the functions have these types in NVRTC 12's header; every pointer is to something
        // that outlives the call, and the log is as long as the compiler said.
        unsafe {
            let create: Function<
                unsafe extern "C" fn(
                    *mut Program,
                    *const c_char,
                    *const c_char,
                    c_int,
                    *const *const c_char,
                    *const *const c_char,
                ) -> c_int,
            > = self.function(c"nvrtcCreateProgram");
            let compile: Function<
                unsafe extern "C" fn(Program, c_int, *const *const c_char) -> c_int,
            > = self.function(c"nvrtcCompileProgram");
            let log_size: Function<unsafe extern "C" fn(Program, *mut usize) -> c_int> =
                self.function(c"nvrtcGetProgramLogSize");
            let log: Function<unsafe extern "C" fn(Program, *mut c_char) -> c_int> =
                self.function(c"nvrtcGetProgramLog");
            let code_size: Function<unsafe extern "C" fn(Program, *mut usize) -> c_int> =
                self.function(c"nvrtcGetCUBINSize");
            let destroy: Function<unsafe extern "C" fn(*mut Program) -> c_int> =
                self.function(c"nvrtcDestroyProgram");
            let none = std::ptr::null();
            let made = create(
                &raw mut program,
                source.as_ptr(),
                none,
                0,
                std::ptr::null(),
                std::ptr::null(),
            );
            assert_eq!(made, 0, "NVRTC makes no program");
            let count = c_int::try_from(options.len()).unwrap();
            let outcome = compile(program, count, options.as_ptr());
            let said = if outcome == 0 {
                assert_eq!(code_size(program, &raw mut size), 0);
                Ok(size)
            } else {
                log_size(program, &raw mut size);
                let mut text = vec![0u8; size.max(1)];
                log(program, text.as_mut_ptr().cast());
                let text = CStr::from_bytes_until_nul(&text).unwrap_or_default();
                Err(format!("{outcome}: {}", text.to_string_lossy()))
            };
            destroy(&raw mut program);
            said
        }
    }

    /// # Safety
    ///
    /// `F` is the function's type.
    unsafe fn function<F>(&self, name: &CStr) -> Function<'_, F> {
        // SAFETY: the caller's.
        unsafe { self.library.get(name.to_bytes_with_nul()) }.expect("NVRTC has it")
    }
}

type Function<'a, F> = libloading::Symbol<'a, F>;
