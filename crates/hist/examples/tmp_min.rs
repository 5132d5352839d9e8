use burn::tensor::{DType, Tensor, TensorData, TensorPrimitive};
use burn_wgpu::{CubeBackend, WgpuRuntime};
use huenet_hist::*;
use std::time::Instant;
type D = CubeBackend<WgpuRuntime, f32, i32, u32>;
fn t<const N: usize>(v: &[f64], s: [usize; N]) -> burn::tensor::ops::FloatTensor<D> {
    let v: Vec<f32> = v.iter().map(|x| *x as f32).collect();
    Tensor::<D, N>::from_data(TensorData::new(v, s), (&Default::default(), DType::F32)).into_primitive().tensor()
}
fn v<const N: usize>(p: burn::tensor::ops::FloatTensor<D>) -> Vec<f64> {
    Tensor::<D, N>::from_primitive(TensorPrimitive::Float(p)).into_data().iter::<f64>().collect()
}
fn numbers(n: usize, seed: u32) -> Vec<f64> {
    (0..n as u32).map(|i| {
        let mut z = (i + seed).wrapping_mul(0x9e37_79b9);
        z = (z ^ (z >> 16)).wrapping_mul(0x85eb_ca6b);
        f64::from(2.2 * ((z ^ (z >> 13)) as f32 / u32::MAX as f32) - 1.1)
    }).collect()
}
fn sig(z: f64) -> f64 { 1.0 / (1.0 + (-z).exp()) }
fn windows(x: f64, k: usize, rho: f64, b: Boundary) -> (Vec<f64>, Vec<f64>) {
    let (mut w, mut d) = (vec![0.0; k], vec![0.0; k]);
    let ki = k as i64;
    for j in -80 * ki.min(8) - 40..k as i64 + 80 * ki.min(8) + 40 {
        let f = match b {
            Boundary::Reflect => if j >= -ki && j < 0 { -1 - j } else if j >= ki && j < 2 * ki { 2 * ki - 1 - j } else if (0..ki).contains(&j) { j } else { continue },
            Boundary::Wrap => j.rem_euclid(ki),
            _ => if (0..ki).contains(&j) { j } else { continue },
        } as usize;
        let p = (x + 1.0) * k as f64 / 2.0 - j as f64;
        let (a, c) = (sig(rho * p), sig(rho * (p - 1.0)));
        w[f] += a - c;
        d[f] += rho * k as f64 / 2.0 * (a * (1.0 - a) - c * (1.0 - c));
    }
    (w, d)
}
fn err(name: &str, found: &[f64], expected: &[f64]) {
    let most = expected.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    let worst = found.iter().zip(expected).fold(0.0f64, |m, (a, b)| if a.is_nan() { f64::INFINITY } else { m.max((a - b).abs()) });
    println!("  {name}: {:.2e} of {most:.3e} {}", worst / most, if found.len() == expected.len() && worst / most < 2e-5 { "" } else { "BAD" });
}
fn check(k: usize, rho: f64, b: Boundary, rows: usize, n: usize) {
    println!("{k} bins {rho} {b:?} {rows}x{n}");
    let binning = Binning { bins: Bins::new(k, -1.0, 1.0).unwrap(), kernel: Kernel::new(rho, b).unwrap() };
    let (x, y) = (numbers(rows * n, 0), numbers(rows * n, 1 << 20));
    let gp: Vec<f64> = (0..rows * k).map(|i| (0.7 * i as f64).cos()).collect();
    let gj: Vec<f64> = (0..rows * k * k).map(|i| (0.7 * i as f64).cos()).collect();
    let up: Vec<f64> = (0..rows * 2).map(|i| 0.5 + 0.3 * i as f64).collect();
    let (mut p, mut j, mut mg, mut jx, mut jy) = (vec![0.0; rows * k], vec![0.0; rows * k * k], vec![0.0; rows * n], vec![0.0; rows * n], vec![0.0; rows * n]);
    for r in 0..rows { for i in 0..n {
        let at = r * n + i;
        let (wx, dx) = windows(x[at], k, rho, b); let (wy, dy) = windows(y[at], k, rho, b);
        for c in 0..k { p[r * k + c] += wy[c] / n as f64; mg[at] += gp[r * k + c] * dy[c] / n as f64;
            for a in 0..k { let e = (r * k + a) * k + c; j[e] += wx[a] * wy[c] / n as f64; jx[at] += gj[e] * dx[a] * wy[c] / n as f64; jy[at] += gj[e] * wx[a] * dy[c] / n as f64; } }
    } }
    err("marginal", &v::<2>(D::marginal(t(&y, [rows, n]), &binning)), &p);
    err("marginal gradient", &v::<2>(D::marginal_backward(t(&y, [rows, n]), t(&gp, [rows, k]), &binning)), &mg);
    err("joint", &v::<3>(D::joint(t(&x, [rows, n]), t(&y, [rows, n]), &binning)), &j);
    let [fx, fy] = D::joint_backward(t(&x, [rows, n]), t(&y, [rows, n]), t(&gj, [rows, k, k]), &binning, [true; 2]);
    err("joint gradient x", &v::<2>(fx.unwrap()), &jx);
    err("joint gradient y", &v::<2>(fy.unwrap()), &jy);
    let target = vec![1.0 / k as f64; rows * k];
    let terms = LossTerms { binning, distance: EmdKind::Rms, structure: StructureKind::ConditionalEntropy };
    let pass = D::losses(t(&x, [rows, n]), t(&y, [rows, n]), t(&target, [rows, k]), &terms, true);
    let (mut values, mut op, mut oj) = (vec![], vec![0.0; rows * k], vec![0.0; rows * k * k]);
    for r in 0..rows {
        let mut s = 0.0; let mut diff: Vec<f64> = (0..k).map(|c| { s += p[r * k + c] - target[0]; s }).collect();
        if b == Boundary::Wrap { let m = diff.iter().sum::<f64>() / k as f64; diff.iter_mut().for_each(|d| *d -= m); }
        let dist = (diff.iter().map(|d| d * d).sum::<f64>() / k as f64).sqrt();
        let mut s = 0.0; for c in (0..k).rev() { s += diff[c] / (k as f64 * dist); op[r * k + c] = s; }
        let mut h = 0.0;
        for c in 0..k { let q: f64 = (0..k).map(|a| j[(r * k + a) * k + c]).sum();
            for a in 0..k { let e = (r * k + a) * k + c; if j[e] > 0.0 { oj[e] = -(j[e] / q).ln(); h += j[e] * oj[e]; } } }
        values.extend([dist, h]);
    }
    err("losses", &v::<2>(pass.values), &values);
    let [fp, fj] = pass.of_histograms.unwrap();
    err("of p", &v::<2>(fp.clone()), &op);
    let mut weighted = v::<3>(fj.clone()); let mut w2 = oj.clone();
    weighted.iter_mut().zip(&mut w2).zip(&j).for_each(|((a, b), p)| { *a *= p; *b *= p; });
    err("of joint, weighted", &weighted, &w2);
    let [ox, oy] = D::losses_backward(t(&x, [rows, n]), t(&y, [rows, n]), [fp, fj], t(&up, [rows, 2]), &terms, [true; 2]);
    let (mut ex, mut ey) = (vec![0.0; rows * n], vec![0.0; rows * n]);
    for r in 0..rows { for i in 0..n { let at = r * n + i;
        let (wx, dx) = windows(x[at], k, rho, b); let (wy, dy) = windows(y[at], k, rho, b);
        for c in 0..k { ey[at] += up[2 * r] * op[r * k + c] * dy[c] / n as f64;
            for a in 0..k { let g = up[2 * r + 1] * oj[(r * k + a) * k + c] / n as f64; ex[at] += g * dx[a] * wy[c]; ey[at] += g * wx[a] * dy[c]; } } } }
    err("losses gradient x", &v::<2>(ox.unwrap()), &ex);
    err("losses gradient y", &v::<2>(oy.unwrap()), &ey);
}
fn main() {
    for b in [Boundary::Reflect, Boundary::Wrap, Boundary::Open] { check(20, 2.5, b, 2, 401); }
    check(20, 0.7, Boundary::Reflect, 1, 150);
    check(2, 0.25, Boundary::Wrap, 1, 9);
    check(64, 64.0, Boundary::Reflect, 1, 300);
    for k in [64, 256] {
        let binning = Binning { bins: Bins::new(k, -1.0, 1.0).unwrap(), kernel: Kernel::default() };
        let (rows, n) = (12, 65536);
        let terms = LossTerms { binning, distance: EmdKind::Rms, structure: StructureKind::ConditionalEntropy };
        let [x, y, z] = [0, 1 << 24, 1 << 28].map(|s| t(&numbers(rows * n, s), [rows, n]));
        let up = t(&vec![1.0; rows * 2], [rows, 2]);
        let mut first: Option<Vec<f64>> = None;
        for _ in 0..3 {
            let s = Instant::now();
            let target = D::marginal(z.clone(), &binning);
            let pass = D::losses(x.clone(), y.clone(), target, &terms, true);
            let values = v::<2>(pass.values.clone());
            let forward = s.elapsed();
            let [_, g] = D::losses_backward(x.clone(), y.clone(), pass.of_histograms.unwrap(), up.clone(), &terms, [false, true]);
            let g = v::<2>(g.unwrap());
            println!("{k} bins: forward {forward:?}, all {:?}, values {:?}", s.elapsed(), &values[..2]);
            let all = [values, g].concat();
            if let Some(f) = &first { println!("same bits: {}", f == &all); }
            first = Some(all);
        }
    }
}
