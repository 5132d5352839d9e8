"""The time of a training step of the official networks in TensorFlow: both networks, their adversarial losses and both
optimisers, without histogram losses. Prints a line of JSON; times are in milliseconds.

    python crates/models/benches/peers.py --size 128 --depth 7 --base-width 16 --batch 4

The topology is that of the published script, written anew with tf.keras. Needs `tensorflow` (2.21 was used).
"""

import argparse
import json
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

layers = tf.keras.layers


def weights():
    return tf.random_normal_initializer(0.0, 0.02)


def down(image, width, norm=True):
    image = layers.Conv2D(width, 4, strides=2, padding="same", use_bias=False, kernel_initializer=weights())(image)
    if norm:
        image = layers.BatchNormalization()(image)
    return layers.LeakyReLU()(image)


class Doubled(layers.Layer):
    """Bilinear, with one pixel of reflected border."""

    def call(self, image):
        doubled = tf.image.resize(image, [image.shape[1] * 2, image.shape[2] * 2], "bilinear")
        return tf.pad(doubled, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT")


def up(image, width, dropout):
    image = layers.Conv2D(width, 3, padding="valid", kernel_initializer=weights())(Doubled()(image))
    image = layers.BatchNormalization()(image)
    if dropout:
        image = layers.Dropout(0.5)(image)
    return layers.ReLU()(image)


def generator(size, depth, base_width, bins):
    content = layers.Input([size, size, 3])
    counts = layers.Input([bins, 3], dtype="int32")
    widths = [base_width * min(2**level, 8) for level in range(depth)]
    image, skips = content, []
    for level, width in enumerate(widths):
        image = down(image, width, norm=level > 0)
        skips.append(image)
    table = [layers.Embedding(size * size + 1, 1)(counts[:, :, channel]) for channel in range(3)]
    encoded = layers.Dense(2 * bins, activation="relu")(layers.Flatten()(layers.Concatenate()(table)))
    image = layers.Concatenate()([image, layers.Reshape([1, 1, 2 * bins])(encoded)])
    for level, (width, skip) in enumerate(zip(widths[-2::-1], skips[-2::-1])):
        image = layers.Concatenate()([up(image, width, dropout=level < 3), skip])
    last = layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="tanh", kernel_initializer=weights())
    return tf.keras.Model([content, counts], last(image))


def discriminator(size, base_width):
    image = first = layers.Input([size, size, 3])
    for level in range(3):
        image = down(image, base_width * 2**level, norm=level > 0)
    image = layers.ZeroPadding2D()(image)
    image = layers.Conv2D(base_width * 8, 4, use_bias=False, kernel_initializer=weights())(image)
    image = layers.ZeroPadding2D()(layers.LeakyReLU()(layers.BatchNormalization()(image)))
    return tf.keras.Model(first, layers.Conv2D(1, 4, kernel_initializer=weights())(image))


def cross_entropy(label, logits):
    labels = tf.fill(tf.shape(logits), label)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--size", type=int, default=256)
    options.add_argument("--depth", type=int, default=8)
    options.add_argument("--base-width", type=int, default=64)
    options.add_argument("--batch", type=int, default=1)
    options.add_argument("--bins", type=int, default=256)
    options.add_argument("--steps", type=int, default=20)
    options.add_argument("--threads", type=int, default=2)
    given = options.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(given.threads)
    make = generator(given.size, given.depth, given.base_width, given.bins)
    judge = discriminator(given.size, given.base_width)
    optimisers = [tf.keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2)]
    for optimiser, network in zip(optimisers, (make, judge)):
        optimiser.build(network.trainable_variables)

    @tf.function
    def step(content, counts):
        with tf.GradientTape() as of_make, tf.GradientTape() as of_judge:
            output = make([content, counts], training=True)
            real, made = judge(content, training=True), judge(output, training=True)
            losses = cross_entropy(1.0, made), cross_entropy(1.0, real) + cross_entropy(0.0, made)
        for tape, loss, network, optimiser in zip((of_make, of_judge), losses, (make, judge), optimisers):
            gradients = tape.gradient(loss, network.trainable_variables)
            optimiser.apply_gradients(zip(gradients, network.trainable_variables))
        return losses

    content = tf.random.uniform([given.batch, given.size, given.size, 3], -1, 1)
    counts = tf.random.uniform([given.batch, given.bins, 3], 0, 200, dtype=tf.int32)
    times = []
    for number in range(3 + given.steps):
        begun = time.perf_counter()
        step(content, counts)[0].numpy()
        if number >= 3:
            times.append((time.perf_counter() - begun) * 1000)
    print(json.dumps({"median": round(statistics.median(times), 1), "least": round(min(times), 1), **vars(given)}))


if __name__ == "__main__":
    main()
