"""Measures of one model's answers to one split, sample by sample in float64."""

from __future__ import annotations

import math


def probabilities(logits):
    top = max(logits)
    powers = [math.exp(z - top) for z in logits]
    return [p / sum(powers) for p in powers]


def accuracy(answers, labels):
    right = [z.index(max(z)) == y for z, y in zip(answers, labels, strict=True)]
    return sum(right) / len(right)


def nll(answers, labels):
    total = 0.0
    for z, y in zip(answers, labels, strict=True):
        top = max(z)
        total += top + math.log(sum(math.exp(v - top) for v in z)) - z[y]
    return total / len(labels)


def brier(answers, labels):
    total = 0.0
    for z, y in zip(answers, labels, strict=True):
        for c, p in enumerate(probabilities(z)):
            total += (p - (c == y)) ** 2
    return total / len(labels)


def ece(answers, labels, bins=15):
    total = 0.0
    for b in range(bins):
        inside = []
        for z, y in zip(answers, labels, strict=True):
            p = probabilities(z)
            if b / bins < max(p) <= (b + 1) / bins:
                inside.append((z.index(max(z)) == y, max(p)))
        if inside:
            acc = sum(right for right, _ in inside) / len(inside)
            conf = sum(confidence for _, confidence in inside) / len(inside)
            total += len(inside) / len(labels) * abs(acc - conf)
    return total
