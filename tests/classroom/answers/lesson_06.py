"""Other right programs for lesson 06, and edits of the solutions that make known mistakes."""

import torch
from torch import nn
from torch.nn import functional


class LoRA(nn.Module):
    """By way of functional.linear, with the big matrix made at every call."""

    def __init__(self, layer, rank, alpha):
        super().__init__()
        self.register_buffer("weight", layer.weight.detach().clone())
        self.register_buffer("bias", layer.bias.detach().clone())
        self.down = nn.Parameter(nn.init.kaiming_uniform_(torch.empty(rank, layer.in_features)))
        self.up = nn.Parameter(self.weight.new_zeros(layer.out_features, rank))
        self.alpha = alpha

    def whole(self):
        return torch.addmm(self.weight, self.up, self.down, alpha=self.alpha / len(self.down))

    def forward(self, x):
        return functional.linear(x, self.whole(), self.bias)

    def merged(self):
        made = nn.Linear(self.weight.shape[1], self.weight.shape[0])
        made.load_state_dict({"weight": self.whole().detach(), "bias": self.bias})
        return made


def count_by_making(shapes, rank):
    made = [nn.Sequential(nn.Linear(i, rank, bias=False), nn.Linear(rank, o, bias=False))
            for o, i in shapes]
    return sum(weight.numel() for pair in made for weight in pair.parameters())


def start_the_other_way(rank, inputs, outputs):
    return torch.zeros(rank, inputs), nn.init.orthogonal_(torch.empty(outputs, rank))


def four_bits_by_bucketize(weights, levels, block):
    rows = weights.flatten().split(block)
    scales = torch.stack([torch.linalg.vector_norm(row, float("inf")) for row in rows])
    middles = (levels[1:] + levels[:-1]) / 2
    codes = [torch.bucketize(row / scale, middles) for row, scale in zip(rows, scales, strict=True)]
    return torch.stack(codes), scales


OTHERS = {
    "LoRA": [LoRA],
    "lora_parameters": [count_by_making],
    "start": [start_the_other_way, lambda rank, inputs, outputs: (
        nn.Linear(inputs, rank).weight, torch.zeros(outputs, rank))],
    "four_bits": [four_bits_by_bucketize],
    "training_gigabytes": [lambda frozen, bits, trained: frozen * bits / 8e9 + trained * 1.6e-8],
}
EDITS = {
    "LoRA": [("alpha / rank", "alpha", "You multiply by alpha, not"),
             (".requires_grad_(False)", "", "The layer's own weights are still"),
             ("copy.deepcopy(self.layer)", "self.layer", "Your merged() writes into"),
             ("self.down.data * self.scale", "self.down.data", "Your merged layer lacks")],
    "lora_parameters": [("(outputs + inputs)", "outputs * inputs", "You multiplied all three"),
                        ("(outputs + inputs)", "inputs", "You counted `down` alone")],
    "start": [("torch.zeros(outputs", "torch.randn(outputs", "Both are random"),
              ("torch.randn(rank, inputs) / rank", "torch.zeros(rank, inputs)", "Both are zero"),
              ("torch.randn(rank, inputs) / rank, torch.zeros(outputs, rank)",
               "torch.randn(inputs, rank), torch.zeros(rank, outputs)", "Your matrices lie")],
    "four_bits": [(".abs().amax", ".amax", "Your scale is the largest weight, sign"),
                  (" - levels).abs()", " - levels)", "You took the smallest *signed*"),
                  ("blocks.abs().amax(dim=1)", "blocks.abs().max().expand(len(blocks))",
                   "You have one scale for all")],
    "training_gigabytes": [("4 + 4 + 4 + 4", "4 + 4", "You forgot the optimiser"),
                           ("bits / 8", "bits", "You took bits for bytes"),
                           ("1e9", "2**30", "Those are gibibytes")],
    "predicted_gigabytes": [("base + 20 * 0.05", "20 * 0.05", "Adapters: you forgot the base"),
                            ("7e9 * 2", "7e9 * 4", "Copies: those are 4 bytes")],
}
