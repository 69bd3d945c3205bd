"""The networks of bench/network_cases.ts in plain PyTorch, with the same parameter names, so that a state dict fits both.

UNet and VNet follow MONAI (Kerfoot et al. 2018; Milletari et al. 2016), QuickNat Roy et al. 2019 with the squeeze and excitation of Roy et al. 2018.
Options are those of the TypeScript constructors; only what the benchmark uses is here.
"""

import torch
from torch import nn
from torch.nn import functional as F

CONV = {2: nn.Conv2d, 3: nn.Conv3d}
UP = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
INSTANCE = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}
BATCH = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
DROP = {2: nn.Dropout2d, 3: nn.Dropout3d}


def named(**layers):
    """A Sequential with names of its own."""
    chain = nn.Sequential()
    for name, layer in layers.items():
        chain.add_module(name, layer)
    return chain


# UNet


def convolution(dims, inner, outer, stride=1, transposed=False, conv_only=False):
    if transposed:
        conv = UP[dims](inner, outer, 3, stride, padding=1, output_padding=stride - 1)
    else:
        conv = CONV[dims](inner, outer, 3, stride, padding=1)
    if conv_only:
        return named(conv=conv)
    return named(conv=conv, adn=named(N=INSTANCE[dims](outer), A=nn.PReLU()))


class ResidualUnit(nn.Module):
    def __init__(self, dims, inner, outer, stride=1, subunits=2, last_conv_only=False):
        super().__init__()
        self.conv = nn.Sequential()
        for i in range(subunits):
            only = last_conv_only and i == subunits - 1
            unit = convolution(dims, inner if i == 0 else outer, outer, stride if i == 0 else 1, conv_only=only)
            self.conv.add_module(f"unit{i}", unit)
        if stride != 1:
            self.residual = CONV[dims](inner, outer, 3, stride, padding=1)
        elif inner != outer:
            self.residual = CONV[dims](inner, outer, 1)
        else:
            self.residual = nn.Identity()

    def forward(self, x):
        return self.conv(x) + self.residual(x)


class Skip(nn.Module):
    def __init__(self, submodule):
        super().__init__()
        self.submodule = submodule

    def forward(self, x):
        return torch.cat([x, self.submodule(x)], 1)


class UNet(nn.Module):
    def __init__(self, spatialDims, inChannels, outChannels, channels, strides, numResUnits):
        super().__init__()
        self.dims = spatialDims
        self.units = numResUnits
        self.model = self.block(inChannels, outChannels, list(channels), list(strides), True)

    def block(self, inner, outer, channels, strides, top):
        first, second = channels[:2]
        bottom = len(channels) == 2
        below = self.down(first, second, 1) if bottom else self.block(first, first, channels[1:], strides[1:], False)
        up = self.up(first + second if bottom else 2 * first, outer, strides[0], top)
        return nn.Sequential(self.down(inner, first, strides[0]), Skip(below), up)

    def down(self, inner, outer, stride):
        return ResidualUnit(self.dims, inner, outer, stride, self.units)

    def up(self, inner, outer, stride, top):
        unit = ResidualUnit(self.dims, outer, outer, subunits=1, last_conv_only=top)
        return nn.Sequential(convolution(self.dims, inner, outer, stride, transposed=True), unit)

    def forward(self, x):
        return self.model(x)


# VNet


def wide(dims, inner, outer, bias=False):
    return named(conv=CONV[dims](inner, outer, 5, padding=2, bias=bias), adn=named(N=BATCH[dims](outer)))


class LUConv(nn.Module):
    def __init__(self, dims, channels):
        super().__init__()
        self.act_function = nn.ELU()
        self.conv_block = wide(dims, channels, channels)

    def forward(self, x):
        return self.act_function(self.conv_block(x))


def chain(dims, channels, count):
    return nn.Sequential(*[LUConv(dims, channels) for _ in range(count)])


class InputTransition(nn.Module):
    def __init__(self, dims, inner, outer):
        super().__init__()
        self.repeats = outer // inner
        self.act_function = nn.ELU()
        self.conv_block = wide(dims, inner, outer)

    def forward(self, x):
        return self.act_function(self.conv_block(x) + x.repeat(1, self.repeats, *[1] * (x.dim() - 2)))


class DownTransition(nn.Module):
    def __init__(self, dims, inner, count, rate):
        super().__init__()
        outer = 2 * inner
        self.down_conv = CONV[dims](inner, outer, 2, 2, bias=False)
        self.bn1 = BATCH[dims](outer)
        self.act_function1 = nn.ELU()
        self.act_function2 = nn.ELU()
        self.ops = chain(dims, outer, count)
        self.dropout = DROP[dims](rate) if rate else nn.Identity()

    def forward(self, x):
        down = self.act_function1(self.bn1(self.down_conv(x)))
        return self.act_function2(self.ops(self.dropout(down)) + down)


class UpTransition(nn.Module):
    def __init__(self, dims, inner, outer, count, rate):
        super().__init__()
        self.up_conv = UP[dims](inner, outer // 2, 2, 2)
        self.bn1 = BATCH[dims](outer // 2)
        self.dropout = DROP[dims](rate) if rate else nn.Identity()
        self.dropout2 = DROP[dims](0.5)
        self.act_function1 = nn.ELU()
        self.act_function2 = nn.ELU()
        self.ops = chain(dims, outer, count)

    def forward(self, x, skip):
        up = self.act_function1(self.bn1(self.up_conv(self.dropout(x))))
        both = torch.cat([up, self.dropout2(skip)], 1)
        return self.act_function2(self.ops(both) + both)


class OutputTransition(nn.Module):
    def __init__(self, dims, inner, outer):
        super().__init__()
        self.act_function1 = nn.ELU()
        self.conv_block = wide(dims, inner, outer)
        self.conv2 = CONV[dims](outer, outer, 1)

    def forward(self, x):
        return self.conv2(self.act_function1(self.conv_block(x)))


class VNet(nn.Module):
    def __init__(self, spatialDims, inChannels, outChannels):
        super().__init__()
        d = spatialDims
        self.in_tr = InputTransition(d, inChannels, 16)
        self.down_tr32 = DownTransition(d, 16, 1, None)
        self.down_tr64 = DownTransition(d, 32, 2, None)
        self.down_tr128 = DownTransition(d, 64, 3, 0.5)
        self.down_tr256 = DownTransition(d, 128, 2, 0.5)
        self.up_tr256 = UpTransition(d, 256, 256, 2, 0.5)
        self.up_tr128 = UpTransition(d, 256, 128, 2, 0.5)
        self.up_tr64 = UpTransition(d, 128, 64, 1, None)
        self.up_tr32 = UpTransition(d, 64, 32, 1, None)
        self.out_tr = OutputTransition(d, 32, outChannels)

    def forward(self, x):
        out16 = self.in_tr(x)
        out32 = self.down_tr32(out16)
        out64 = self.down_tr64(out32)
        out128 = self.down_tr128(out64)
        x = self.up_tr256(self.down_tr256(out128), out128)
        x = self.up_tr64(self.up_tr128(x, out64), out32)
        return self.out_tr(self.up_tr32(x, out16))


# QuickNat


class ChannelSE(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.fc1 = nn.Linear(channels, channels // 2)
        self.fc2 = nn.Linear(channels // 2, channels)

    def forward(self, x):
        gate = torch.sigmoid(self.fc2(F.relu(self.fc1(x.mean((2, 3))))))
        return x * gate[:, :, None, None]


class SpatialSE(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, 1, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.conv(x))


class ChannelSpatialSE(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.cSE = ChannelSE(channels)
        self.sSE = SpatialSE(channels)

    def forward(self, x):
        return torch.max(self.cSE(x), self.sSE(x))


class DenseBlock(nn.Module):
    def __init__(self, channels, filters):
        super().__init__()
        self.SELayer = ChannelSpatialSE(filters)
        self.conv1 = nn.Conv2d(channels, filters, 5, padding=2)
        self.conv2 = nn.Conv2d(channels + filters, filters, 5, padding=2)
        self.conv3 = nn.Conv2d(channels + 2 * filters, filters, 1)
        self.batchnorm1 = nn.BatchNorm2d(channels)
        self.batchnorm2 = nn.BatchNorm2d(channels + filters)
        self.batchnorm3 = nn.BatchNorm2d(channels + 2 * filters)
        self.prelu = nn.PReLU()
        self.drop_out = nn.Dropout2d(0.2)

    def forward(self, x):
        first = self.conv1(self.prelu(self.batchnorm1(x)))
        second = self.conv2(self.prelu(self.batchnorm2(torch.cat([x, first], 1))))
        return self.conv3(self.prelu(self.batchnorm3(torch.cat([x, first, second], 1))))

    def excited(self, x):
        return self.drop_out(self.SELayer(self(x)))


class QuickNat(nn.Module):
    def __init__(self, outChannels, numFilters=64, inChannels=1):
        super().__init__()
        f = numFilters
        self.encode1 = DenseBlock(inChannels, f)
        for name in ("encode2", "encode3", "encode4", "bottleneck"):
            setattr(self, name, DenseBlock(f, f))
        for name in ("decode1", "decode2", "decode3", "decode4"):
            setattr(self, name, DenseBlock(2 * f, f))
        self.classifier = named(conv=nn.Conv2d(f, outChannels, 1))

    def forward(self, x):
        kept = []
        for block in (self.encode1, self.encode2, self.encode3, self.encode4):
            skip = block.excited(x)
            x, indices = F.max_pool2d(skip, 2, 2, return_indices=True)
            kept.append((skip, indices))
        x = self.bottleneck(x)
        for block in (self.decode4, self.decode1, self.decode2, self.decode3):
            skip, indices = kept.pop()
            x = F.max_unpool2d(x, indices, 2, 2, output_size=skip.shape)
            x = block.excited(torch.cat([skip, x], 1))
        return self.classifier(x)


NETWORKS = {"UNet": UNet, "VNet": VNet, "QuickNat": QuickNat}


def dice_ce(output, label, smooth=1e-5):
    """MONAI's DiceCELoss with softmax and class indices: mean over samples and classes of 1 - Dice, plus cross entropy."""
    target = label[:, 0].long()
    probability = output.softmax(1)
    onehot = torch.zeros_like(probability).scatter_(1, target[:, None], 1)
    axes = tuple(range(2, output.dim()))
    overlap = (probability * onehot).sum(axes)
    total = probability.sum(axes) + onehot.sum(axes)
    dice = 1 - (2 * overlap + smooth) / (total + smooth)
    return dice.mean() + F.cross_entropy(output, target)
