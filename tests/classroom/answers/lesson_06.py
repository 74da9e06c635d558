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


class LoRAByModules(nn.Module):
    """Two linear layers without bias beside the frozen one; merging by what they do to a base."""

    def __init__(self, layer, rank, alpha):
        super().__init__()
        for weight in layer.parameters():
            weight.requires_grad = False
        self.base, self.factor = layer, alpha / rank
        self.thin = nn.Linear(layer.in_features, rank, bias=False)
        self.wide = nn.Linear(rank, layer.out_features, bias=False)
        nn.init.zeros_(self.wide.weight)

    down = property(lambda self: self.thin.weight)
    up = property(lambda self: self.wide.weight)

    def forward(self, x):
        return self.base(x) + self.factor * self.wide(self.thin(x))

    def merged(self):
        made = nn.Linear(self.base.in_features, self.base.out_features)
        with torch.no_grad():
            added = self.wide(self.thin(torch.eye(self.base.in_features))).T
            made.weight.copy_(self.base.weight + self.factor * added)
            made.bias.copy_(self.base.bias)
        return made


def count_by_shapes(shapes, rank):
    table = torch.tensor(shapes)
    return int(rank * table.sum())


def four_bits_in_loops(weights, levels, block):
    flat, codes, scales = weights.flatten().tolist(), [], []
    for begin in range(0, len(flat), block):
        part = flat[begin:begin + block]
        scales.append(max(map(abs, part)))
        codes.append([min(range(len(levels)), key=lambda i, share=weight / scales[-1]: abs(
            share - float(levels[i]))) for weight in part])
    return torch.tensor(codes), torch.tensor(scales)


def gigabytes_part_by_part(frozen, bits, trained):
    bytes_each = {"weight": 4, "gradient": 4, "first average": 4, "second average": 4}
    return sum(trained * size for size in bytes_each.values()) / 10**9 + frozen / 8 * bits / 10**9


class LoRAOfZeros(LoRA):
    """Both matrices are zero, so that neither ever has a gradient."""

    def __init__(self, layer, rank, alpha):
        super().__init__(layer, rank, alpha)
        nn.init.zeros_(self.down)


class LoRAWithoutGradients(LoRA):
    """Nothing goes back through `.data`."""

    def whole(self):
        return torch.addmm(self.weight, self.up.data, self.down.data,
                           alpha=self.alpha / len(self.down))


class LoRAThatTeachesOneMatrix(LoRA):
    """Only `up` has a gradient."""

    def whole(self):
        return torch.addmm(self.weight, self.up, self.down.detach(),
                           alpha=self.alpha / len(self.down))


OTHERS = {
    "LoRA": [LoRAByModules, LoRA],
    "lora_parameters": [count_by_shapes, count_by_making],
    "start": [start_the_other_way, lambda rank, inputs, outputs: (
        nn.Linear(inputs, rank).weight, torch.zeros(outputs, rank))],
    "four_bits": [four_bits_in_loops, four_bits_by_bucketize],
    "training_gigabytes": [gigabytes_part_by_part, lambda frozen, bits, trained: (
        frozen * bits / 8e9 + trained * 1.6e-8)],
}
WRONG = {
    "LoRA": [LoRAOfZeros, LoRAWithoutGradients, LoRAThatTeachesOneMatrix],
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
