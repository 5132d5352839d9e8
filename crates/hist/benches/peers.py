#!/usr/bin/env python3
"""What the losses of training cost elsewhere: the counterpart of the example `loss_cost`.

The dense formulas in PyTorch or in a TensorFlow graph, as the official code and its ports have them:
windows of all pixels in all bins with their mirror images at both borders, the root mean square of the
difference of the cumulative histograms, and the conditional entropy from the product of the maps, over
three channels of uniform noise; forward, and backward to the output image. Prints one line of JSON.

    pip install torch==2.9.0            # or tensorflow-cpu==2.21.0
    python crates/hist/benches/peers.py torch --batch 1
    python crates/hist/benches/peers.py tensorflow --batch 4

The time of PyTorch is mostly that of page faults unless its heap is kept. At batch 1 let glibc keep it:

    MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=100000000000 MALLOC_TOP_PAD_=1000000000 python ...

and at larger batches, where that takes too much memory, let jemalloc:

    LD_PRELOAD=libjemalloc.so.2 MALLOC_CONF=dirty_decay_ms:-1,muzzy_decay_ms:-1 python ...
"""

import argparse
import json
import os
import statistics
import time

LOW, HIGH, RATIO, CHANNELS = -1.0, 1.0, 2.5, 3


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", choices=["torch", "tensorflow"])
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--bins", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="of PyTorch: cpu, or cuda")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

    step = {"torch": torch_step, "tensorflow": tensorflow_step}[options.library](options)
    base = memory_mib("VmRSS:")
    times = []
    for _ in range(options.warm_up + options.repeats):
        start = time.perf_counter()
        values = step()
        times.append((time.perf_counter() - start) * 1e3)
    times = times[options.warm_up :]
    line = {"implementation": options.library, "size": options.size, "batch": options.batch}
    line |= {"bins": options.bins, "repeats": options.repeats, "median_ms": round(statistics.median(times), 3)}
    line |= {"min_ms": round(min(times), 3), "peak_rss_mib": memory_mib("VmHWM:"), "base_rss_mib": base}
    if options.device != "cpu":
        import torch

        line |= {"device": torch.cuda.get_device_name(), "peak_device_mib": torch.cuda.max_memory_allocated() >> 20}
    print(json.dumps(line | {"emd": values[0], "ce": values[1]}))


def windows_by(sigmoid, centres, length):
    """The windows of pixels in all bins, with the mirror images at both borders."""

    def window(distance):
        width = length / RATIO
        return sigmoid((distance + length / 2) / width) - sigmoid((distance - length / 2) / width)

    def windows(pixels):
        mirrored = window(pixels + centres - 2 * LOW) + window(pixels + centres - 2 * HIGH)
        return window(pixels - centres) + mirrored

    return windows


def torch_step(options):
    import torch

    torch.set_num_threads(options.threads)
    length = (HIGH - LOW) / options.bins
    shape = (options.batch, CHANNELS, options.size * options.size, 1)
    device = {"device": options.device}
    content, reference, output = (torch.rand(shape, **device) * (HIGH - LOW) + LOW for _ in range(3))
    output.requires_grad_(True)
    centres = LOW + length * (torch.arange(options.bins, **device) + 0.5)

    windows = windows_by(torch.sigmoid, centres, length)

    def entropy(p, dim):
        return -(p * p.clamp_min(1e-37).log()).sum(dim)

    def step():
        output.grad = None
        distance = conditional = 0.0
        for channel in range(CHANNELS):
            of_content, of_reference, of_output = (
                windows(image[:, channel]) for image in (content, reference, output)
            )
            difference = torch.cumsum(of_reference.mean(1) - of_output.mean(1), 1)
            distance = distance + difference.square().mean(1).sqrt().mean() / CHANNELS
            joint = of_content.transpose(1, 2) @ of_output / output.shape[2]
            joint_less_marginal = entropy(joint, (1, 2)) - entropy(joint.sum(1), 1)
            conditional = conditional + joint_less_marginal.mean() / CHANNELS
        (distance + conditional).backward()
        return distance.item(), conditional.item()

    return step


def tensorflow_step(options):
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    length = (HIGH - LOW) / options.bins
    shape = (options.batch, CHANNELS, options.size * options.size, 1)
    content, reference, output = (tf.random.uniform(shape, LOW, HIGH) for _ in range(3))
    centres = LOW + length * (tf.range(options.bins, dtype=tf.float32) + 0.5)

    windows = windows_by(tf.sigmoid, centres, length)

    def entropy(p, axes):
        return -tf.reduce_sum(p * tf.math.log(tf.maximum(p, 1e-37)), axes)

    @tf.function
    def graph(content, reference, output):
        with tf.GradientTape() as tape:
            tape.watch(output)
            distance = conditional = 0.0
            for channel in range(CHANNELS):
                of_content, of_reference, of_output = (
                    windows(image[:, channel]) for image in (content, reference, output)
                )
                means = tf.reduce_mean(of_reference, 1) - tf.reduce_mean(of_output, 1)
                difference = tf.cumsum(means, 1)
                root = tf.sqrt(tf.reduce_mean(tf.square(difference), 1))
                distance += tf.reduce_mean(root) / CHANNELS
                joint = tf.matmul(of_content, of_output, transpose_a=True) / shape[2]
                joint_less_marginal = entropy(joint, (1, 2)) - entropy(tf.reduce_sum(joint, 1), 1)
                conditional += tf.reduce_mean(joint_less_marginal) / CHANNELS
            total = distance + conditional
        return distance, conditional, tape.gradient(total, output)

    def step():
        distance, conditional, gradient = graph(content, reference, output)
        gradient.numpy()
        return float(distance), float(conditional)

    return step


def memory_mib(name):
    """A line of Linux's account of this process's memory."""
    try:
        with open("/proc/self/status", encoding="ascii") as lines:
            return next(round(int(line.split()[1]) / 1024, 1) for line in lines if line.startswith(name))
    except OSError:
        return None


if __name__ == "__main__":
    main()
