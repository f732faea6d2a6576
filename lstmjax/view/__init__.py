"""Watchers of training runs: live pages, TensorBoard, pictures of layers."""
