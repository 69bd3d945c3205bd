/** @file What recipes and their options are for, in Chinese, by the library's own words, which are English. */

export const zhOptions: Readonly<Record<string, string>> = {
  // Recipes
  "2-D residual UNet on slices of volumes (MONAI's tutorial 2d_slices_from_3d)":
    "在体数据的切片上训练二维残差 UNet（MONAI 教程 2d_slices_from_3d）",
  "3-D UNet, VNet, SegResNet or DynUNet on patches of volumes, sliding windows":
    "在体数据的图块上训练三维 UNet、VNet、SegResNet 或 DynUNet，滑动窗口推理",
  "2-D UNet with focal loss on slices of MR or CT, folders of CHAOS (DICOM and PNG), split by patient":
    "在 MR 或 CT 切片上用 focal 损失训练二维 UNet；CHAOS 文件夹（DICOM 与 PNG），按患者划分",
  "QuickNAT: a 2-D network for each of three views of volumes, added up": "QuickNAT：体数据的三个视图各有一个二维网络，结果相加",
  "nodules of chest scans: VNet or UNet on crops around them, candidates with scores, FROC":
    "胸部扫描中的结节：在其周围的裁剪块上训练 VNet 或 UNet，给出带分数的候选与 FROC",
  "nnU-Net: configures itself from the data and the device; 2d, 3d_fullres, 3d_lowres and the cascade; plans and results folders are nnU-Net v2's":
    "nnU-Net：根据数据与设备自行配置；2d、3d_fullres、3d_lowres 与级联；plans 与结果文件夹与 nnU-Net v2 相同",
  // Every run
  "of weights, data order and augmentation": "随机种子：权重、数据顺序与数据增强",
  "passes over the training cases": "遍历训练病例的轮数",
  "samples per step": "每步的样本数",
  "of activations in training: f32 or f16": "训练时激活值的精度：f32 或 f16",
  "stop at a loss that is not finite, or skip steps where it is that or zero":
    "损失不是有限值时停止（stop），或跳过损失非有限或为零的步（skip）",
  "GiB of memory for prepared cases; the others are read again each epoch":
    "用于缓存预处理病例的内存（GiB）；其余病例每轮重新读取",
  "epochs between validations": "每隔多少轮验证一次",
  "between checkpoints inside an epoch": "一轮之内两次检查点之间的秒数",
  "accept cases without foreground": "接受没有前景的病例",
  // slices2d, patches3d
  "slices taken from each volume per epoch": "每轮从每个体数据中取的切片数",
  "share of slices centered on foreground; 0 takes them uniformly": "以前景为中心的切片比例；0 为均匀抽取",
  "array axis across the slices: 0, 1 or 2": "切片所沿的数组轴：0、1 或 2",
  "height,width of a slice": "切片的高,宽",
  "resize or crop slices to the patch size": "把切片缩放（resize）或裁剪（crop）到图块大小",
  "intensities per volume: scale or zscore": "每个体数据的强度：scale（缩放）或 zscore（标准化）",
  "none, rotate or mild": "无（none）、旋转（rotate）或轻度（mild）",
  "of each level of the UNet, e.g. 16,32,64,128": "UNet 各层的通道数，例如 16,32,64,128",
  "convolutions per residual unit; 0 for plain ones": "每个残差单元的卷积数；0 为普通卷积",
  "Adam's learning rate": "Adam 的学习率",
  "constant or poly": "constant（不变）或 poly（多项式衰减）",
  "patches taken from each volume per epoch": "每轮从每个体数据中取的图块数",
  "x,y,z size of a patch": "图块在 x,y,z 方向的大小",
  "of patches: posneg (foreground or background), classes (each equally often) or uniform":
    "图块中心：posneg（前景或背景）、classes（各类同样频繁）或 uniform（均匀）",
  "share of posneg patches centered on foreground": "posneg 图块中以前景为中心的比例",
  "none, mirror, strong (all of nnU-Net's kinds, on the device) or unmirrored (these but mirroring)":
    "无（none）、镜像（mirror）、强（strong，nnU-Net 的全部增强，在设备上）或 unmirrored（同上但不镜像）",
  "unet, vnet, segresnet or dynunet": "unet、vnet、segresnet 或 dynunet",
  "of each level, e.g. 16,32,64,128": "各层的通道数，例如 16,32,64,128",
  "convolutions per residual unit of the UNet; 0 for plain ones": "UNet 每个残差单元的卷积数；0 为普通卷积",
  "train the lower levels of the DynUNet too": "同时训练 DynUNet 的较低层（深度监督）",
  "diceCe, diceFocal or focal": "diceCe、diceFocal 或 focal",
  "adam or sgd (Nesterov 0.99)": "adam 或 sgd（Nesterov 0.99）",
  "learning rate at the start": "初始学习率",
  "constant, poly or cosine (with a warm-up)": "constant（不变）、poly（多项式）或 cosine（余弦，带预热）",
  "of inference windows": "推理窗口的重叠比例",
  "windows per pass of the network": "网络每次处理的窗口数",
  "predict mirrored images too": "同时预测镜像图像（测试时增强）",
  // chaos
  "of a CHAOS folder: T1DUAL, T2SPIR, CT, MR (T1 and T2) or all":
    "CHAOS 文件夹中的序列：T1DUAL、T2SPIR、CT、MR（T1 与 T2）或 all",
  "of T1DUAL: in, out, both (two channels) or each (a case each)":
    "T1DUAL 的相位：in（同相）、out（反相）、both（两个通道）或 each（各为一个病例）",
  "train on all slices, or on labelled ones": "在所有切片上训练（all），或只在有标签的切片上（labelled）",
  "resize slices to the patch size, or pad and crop": "把切片缩放到图块大小（resize），或填充并裁剪（crop）",
  "intensities: scale or zscore per volume, or ct (a window of HU)": "强度：每个体数据 scale 或 zscore，或 ct（HU 窗）",
  "none, or flips (transposed, scaled, turned, brighter too)": "无（none），或 flips（翻转、转置、缩放、旋转、亮度）",
  "unet (MONAI's) or milesial": "unet（MONAI 的）或 milesial",
  "of a CHAOS folder: liver,spleen,…, all, or ranges of gray values such as liver=55-70":
    "CHAOS 文件夹中的器官：liver,spleen,…、all，或灰度范围，例如 liver=55-70",
  "weight of the organs in the focal loss, or none": "focal 损失中器官的权重，或 none",
  "convolutions per residual unit of unet; 0 for plain ones": "unet 每个残差单元的卷积数；0 为普通卷积",
  "exponent of the focal loss": "focal 损失的指数",
  "Adam's learning rate at the start": "Adam 的初始学习率",
  "epochs between falls of the learning rate": "学习率每隔多少轮下降一次",
  "what it is multiplied by then": "下降时乘以的系数",
  // quicknat
  "what views add up: probabilities or logits": "各视图相加的量：probabilities（概率）或 logits",
  "classes: dataset, or QuickNAT's 32 structures by FS or Neo numbers":
    "类别：dataset（数据集自身），或 QuickNAT 的 32 个结构，按 FS 或 Neo 编号",
  "views that have a network, e.g. COR,AXI,SAG": "各有一个网络的视图，例如 COR,AXI,SAG",
  "of the views in the sum; default 0.4,0.4,0.2 for COR,AXI,SAG": "各视图相加时的权重；COR,AXI,SAG 默认 0.4,0.4,0.2",
  "slices of each view taken from each volume per epoch": "每轮从每个体数据的每个视图中取的切片数",
  "x,y,z that volumes are padded or cropped to before they are sliced": "切片之前把体数据填充或裁剪到的 x,y,z 大小",
  "train on every second slice only": "只在每隔一张的切片上训练",
  "slices at either end that are not trained on": "两端不参与训练的切片数",
  "share of background from which a slice is not trained on": "背景比例达到此值的切片不参与训练",
  "none, or mild: brightness, contrast and noise": "无（none），或轻度（mild）：亮度、对比度与噪声",
  "channels of every block": "每个模块的通道数",
  "size of the convolutions, odd": "卷积核大小，奇数",
  "squeeze and excitation: NONE, CSE, SSE or CSSE": "压缩与激励：NONE、CSE、SSE 或 CSSE",
  "rate of channel dropout": "通道 dropout 的比率",
  "of the cross-entropy: medianFrequency or none": "交叉熵的权重：medianFrequency（中位频率）或 none",
  "added to the weight where the label changes": "在标签变化处增加的权重",
  "the original's Dice loss, to reproduce it": "原版的 Dice 损失，用于复现",
  "sgd or adam": "sgd 或 adam",
  "learning rate at the start; 0 for 0.1 (sgd) or 1e-4 (adam)": "初始学习率；0 表示 0.1（sgd）或 1e-4（adam）",
  "of sgd": "sgd 的动量",
  "L2 penalty": "L2 惩罚",
  "step, poly or constant": "step（阶梯）、poly（多项式）或 constant（不变）",
  "epochs until step multiplies the rate by gamma": "step 每隔多少轮把学习率乘以 gamma",
  "factor of step": "step 的系数",
  "slices per pass of a network in prediction": "预测时网络每次处理的切片数",
  "GiB of device memory for prediction": "预测可用的设备内存（GiB）",
  // nodules
  "edge of a voxel in mm that scans are brought to": "扫描重采样到的体素边长（毫米）",
  "low,high: values of the scans that become 0 and 1": "下限,上限：变为 0 与 1 的扫描值",
  "what trains: label (voxels of the masks) or balls (at the listed nodules)":
    "训练目标：label（掩模的体素）或 balls（列出的结节处的球）",
  "x,y,z size of a crop, such as 96,96,48 or 96,96,16": "裁剪块在 x,y,z 方向的大小，例如 96,96,48 或 96,96,16",
  "crops per nodule and epoch": "每个结节每轮的裁剪块数",
  "nodules come in proportion to 1 / diameter^this; 0: all alike": "结节出现的次数与 1/直径^此值 成正比；0：一视同仁",
  "shares of crops around a nodule, without one, and in the middle": "裁剪块的比例：结节周围、无结节、位于中部",
  "a nodule begins at most this share of a crop behind its start": "结节起点距裁剪块起点至多为裁剪块的此比例",
  "none or mirror": "无（none）或镜像（mirror）",
  "vnet or unet": "vnet 或 unet",
  "of each level of the UNet, e.g. 16,32,64": "UNet 各层的通道数，例如 16,32,64",
  "of the UNet: instance or batch": "UNet 的归一化：instance 或 batch",
  "dice, diceCe or diceFocal": "dice、diceCe 或 diceFocal",
  "one Dice for all crops of a batch instead of one for each": "一批裁剪块合算一个 Dice，而不是各算一个",
  "probability above which voxels join to candidates": "体素连成候选的概率阈值",
  "mm; smaller candidates are left out": "毫米；更小的候选被舍弃",
  // nnunet
  "2d, 3d_fullres, 3d_lowres or 3d_cascade_fullres (behind 3d_lowres); default 3d_fullres where the data are volumes":
    "2d、3d_fullres、3d_lowres 或 3d_cascade_fullres（接在 3d_lowres 之后）；数据为体数据时默认 3d_fullres",
  "nnU-Net's planner, such as nnUNetPlannerResEncM": "nnU-Net 的 planner，例如 nnUNetPlannerResEncM",
  "GB that a training step may take; 0: the planner's own 8, 24 or 40":
    "一个训练步可用的显存（GB）；0：planner 自身的 8、24 或 40",
  "of memory: the bytes on this device (device), or nnU-Net's alone (nnunet)":
    "内存估计：本设备上的字节数（device），或只按 nnU-Net（nnunet）",
  "channels of the first stage; 0: the planned 32, or what the time allows": "第一级的通道数；0：计划的 32，或时间所允许的",
  "minutes for all of it on this device, network and steps are chosen to fit; 0: no limit":
    "在本设备上全部完成的分钟数，据此选择网络与步数；0：不限",
  "steps per epoch": "每轮的步数",
  "steps of validation after each epoch": "每轮之后的验证步数",
  "share of each batch that shows foreground for sure": "每批中必含前景的比例",
  "none, mirror, nnunet (all of its kinds, on the device) or unmirrored (these but mirroring)":
    "无（none）、镜像（mirror）、nnunet（其全部增强，在设备上）或 unmirrored（同上但不镜像）",
  "sgd (Nesterov 0.99, nnU-Net's) or adam, which learns more in few steps":
    "sgd（Nesterov 0.99，nnU-Net 的）或 adam（步数少时学得更多）",
  "largest learning rate; falls to 0, of sgd as a polynomial, of adam as a half cosine":
    "最大学习率；降到 0：sgd 按多项式，adam 按半余弦",
  "of all weights": "所有权重的衰减",
  "predict images as they are, not their mirror images too": "只预测原图，不再预测镜像",
};
