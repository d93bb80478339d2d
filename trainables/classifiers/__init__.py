"""Classifiers: how weights that are deployed are made to answer."""

from __future__ import annotations

import sys

from trainables.classifiers.base import Classifier

Classifier.discover(sys.modules[__name__])

__all__ = ["Classifier"]
