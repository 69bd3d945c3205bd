/**
 * @file Details of errors in Chinese: what the library or the page's worker says, which is English, and the same with its `$1`, `$2` … filled. The first that
 * matches is taken; where none does, the kind of the error, which always has words in Chinese, is all.
 */

export const zhErrors: readonly (readonly [pattern: RegExp, words: string])[] = [
  // Of the page's worker
  [/^(.+?) is empty: it has 0 bytes; /, "$1 是空文件（0 字节）：请重新复制或下载"],
  [/^(.+?) is no image: expected /, "$1 不是影像文件"],
  [/^(.+?) is hidden and left out; /, "$1 是隐藏文件，未读取：去掉文件名开头的点即可"],
  [/^(.+?) and (\d+) more hidden images are left out; /, "$1 与另外 $2 个隐藏文件未读取：去掉文件名开头的点即可"],
  [/^none of the (\d+) files is an image: expected /, "$1 个文件中没有影像"],
  [/^this scan is no longer there; /, "此影像已不在，请重新选择"],
  [/^this result is no longer there; /, "此结果已不在，请重新分割"],
  [/^(.+?) is no DICOM series$/, "$1 不是 DICOM 序列"],
  [/^writeDicom\w+: (.+?): the images do not say where they lie/, "$1：影像没有位置信息，无法保存为 DICOM 对象"],
  [/^writeDicom\w+: (.+?) has no SOPInstanceUID or SOPClassUID /, "$1 没有 SOPInstanceUID 或 SOPClassUID，无法被引用"],
  [/^writeDicom\w+: (.+?): its texts are in (.+?), beside which /, "$1 的文字编码为 $2：结构名称只能用 ASCII 字母"],
  [/^this model is no longer there; /, "此模型已不在，请重新选择"],
  [/^this comparison is no longer there; /, "此比较已不在，请重新比较"],
  [/^(.+?): the site answers (\d+)$/, "本站没有提供 $1（应答 $2）"],
  [/^no files were given$/, "没有选择任何文件"],
  [/^(.+?) has no cases with labels to train on$/, "$1 中没有可用于训练的有标签病例"],
  [
    /^(.+?) is no dataset that is known: /,
    "$1 不是认识的数据集：需要 dataset.json（Decathlon、nnU-Net）、LUNA16 的 annotations.csv，或 CHAOS 的 MR/、CT/ 文件夹",
  ],
  [/^the folder has no (.+)$/, "文件夹中没有 $1"],
  [/^(.+?) is not JSON: /, "$1 不是有效的 JSON"],
  [/^the folder has scans with masks, but not the index\.json/, "文件夹中有影像与掩模，但没有 prepare-luna 写出的 index.json"],
  [/^there is no run "(.*)"$/, "没有名为“$1”的运行"],
  [/^"(.*)" cannot be the name of a folder; /, "“$1”不能作为文件夹名；请用字母、数字、“-”与“_”"],
  [/the run "(.*)" is being trained in another tab; /, "运行“$1”正在另一个标签页中训练：请先在那里暂停"],
  [/^there is no recipe "(.*)"; known are (.+)$/, "没有名为“$1”的配方；已有 $2"],
  [/^the run "(.*)" has no report yet$/, "运行“$1”还没有报告"],
  [/^choose data first$/, "请先选择数据"],
  [/^choose data and a recipe first$/, "请先选择数据与配方"],
  [/^there is a run "(.*)" already; /, "已有名为“$1”的运行，请换一个名称"],
  [/^choose the folder of the dataset "(.*)" again: /, "浏览器已无法读取数据集“$1”，请重新选择其文件夹"],
  [/^case "(.*)" has no label$/, "病例“$1”没有标签"],
  [/^the run has no prediction of "(.*)"$/, "运行中没有“$1”的预测"],
  [/^no name is in both folders: truth has (.*), predictions have (.*)$/, "两个文件夹没有同名的文件：真值有 $1，预测有 $2"],
  [/^(.+?) and (.+?) have one name; /, "$1 与 $2 同名：请选择每个病例只有一幅影像的文件夹"],
  [/^the prediction lies up to (\S+) mm from the truth, /, "按文件头所示，预测与真值相距可达 $1 mm：须先放到同一网格上"],
  [/^no prediction has this name$/, "没有同名的预测"],
  [/^no truth has this name$/, "没有同名的真值"],
  [/^(.+?) has more than (\d+) values: it is no label map$/, "$1 的取值超过 $2 种，不是标签图"],
  // Of files
  [/: (.+?): the file cannot be read to its end/, "$1 无法读到末尾：文件不完整或已损坏"],
  [/: (.+?) is no image that is known: /, "$1 不是认识的影像格式"],
  [/: (.+?): its voxels are in (.+?), which /, "$1 的体素在 $2 中：请把两个文件一起选择"],
  [
    /: there are (\d+) images of .+ among (\d+) files, which are not one volume/,
    "$2 个文件中有 $1 幅影像，不属于同一个体数据：请只选择一幅",
  ],
  [/slices of one volume are alike$/, "切片的大小或类型不同，不属于同一个体数据"],
  [/ differ in size or orientation; they are not of one volume$/, "切片的大小或方向不同，不属于同一个体数据"],
  [
    /slices are missing between (.+?) and (.+?): they are (.+?) apart, others (.+? mm)/,
    "$1 与 $2 之间缺少切片：相距 $3，其余为 $4",
  ],
  [/the slices are unevenly spaced: (.+?) to (.+? mm) apart/, "切片间距不一：$1 至 $2"],
  [
    /places have (.+?) slices, such as (.+?) at one place; leave the doubled/,
    "同一位置有多张切片（如 $2）：请去掉重复的切片，或补全序列",
  ],
  [
    /nothing tells the (\d+) slices at one place apart, such as (.+?); leave/,
    "同一位置有 $1 张切片，无法区分（如 $2）：请去掉重复的切片",
  ],
  [/have neither positions nor different numbers; their order is unknown$/, "切片既没有位置也没有编号，无法排序"],
  // Of models
  [
    /^(.+?) is no model that is known; /,
    "$1 不是认识的模型：需要训练结果、nnU-Net 或 MONAI 的文件夹，ONNX 文件，或 TensorFlow.js 的 model.json 与分片",
  ],
  [/^the image has (\d+) channels, the model takes (\d+): (.+)$/, "影像有 $1 个通道，模型需要 $2 个：$3"],
  [/^(.+?) keeps tensors in (.+?), which is not among the files$/, "$1 的权重在 $2 中，请一起选择"],
  [/^intensities from (\S+) to (\S+) are no head; /, "强度从 $1 到 $2，不像头部影像：是否为常数或含有非有限值？"],
  [/: holds no weights /, "运行中还没有权重，请先训练"],
  [/: is no run: it has no (.+)$/, "不是训练结果的文件夹：没有 $1"],
  // Of data sets and options
  [
    /: case "(.+?)".*: the label's size is \[(.+?)\], the image's \[(.+?)\]/,
    "病例“$1”的标签大小为 [$2]，影像为 [$3]：两者须在同一网格上",
  ],
  [/: case "(.+?)".*all channels must lie on one grid$/, "病例“$1”各通道的大小不同：须在同一网格上"],
  [
    /: case "(.+?)".*: voxel value (\S+) is not a class of the dataset; /,
    "病例“$1”的标签中有值 $2，而 dataset.json 中没有这个类别",
  ],
  [/^chaosDataset: .+? has no (.+?); it has (.+)$/, "文件夹中没有 $1，只有 $2"],
  [/has (\d+) patients?, of which there are no folds; /, "只有 $1 位患者，无法分折：请选择“全部病例”"],
  [/(\w+) must be .+, got (.+)$/, "设置 $1 不能是 $2"],
];

/** @param message of an error, in English */
export function inChinese(message: string): string | undefined {
  for (const [pattern, words] of zhErrors) {
    const found = pattern.exec(message);
    if (found) return words.replace(/\$(\d)/g, (_, group: string) => found[Number(group)] ?? "");
  }
  return undefined;
}
