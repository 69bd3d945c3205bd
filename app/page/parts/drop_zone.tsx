/** @file Where files are dropped, with buttons for those who do not drag. */

import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { t } from "../../text/text.ts";
import { filesOfDrop, filesOfInput, type Picked, pickFolder, picksFolders } from "../files.ts";
import { attempt, failure } from "../link.ts";

interface DropZoneProps {
  readonly title: string;
  readonly hint: string;
  readonly filesLabel?: string | undefined;
  readonly folderLabel?: string | undefined;
  /** Offer files as well as folders. */
  readonly files?: boolean;
  readonly small?: boolean;
  readonly disabled?: boolean;
  /** Of tests and style sheets. */
  readonly id: string;
  readonly onPick: (picked: Picked) => void;
  readonly children?: ComponentChildren;
}

/** What makes an element take drops, or say why not now, and whether something is held over it. */
export function useDrop(disabled: boolean, onPick: (picked: Picked) => void) {
  const [over, setOver] = useState(false);
  const on = {
    onDragOver(event: DragEvent) {
      event.preventDefault();
      setOver(!disabled);
    },
    onDragLeave: () => setOver(false),
    onDrop(event: DragEvent) {
      event.preventDefault();
      setOver(false);
      const { dataTransfer } = event;
      if (disabled) failure.value = { code: "busy", message: "" };
      if (!dataTransfer || disabled) return;
      void attempt(async () => {
        const picked = await filesOfDrop(dataTransfer);
        if (picked.files.length > 0) onPick(picked);
      });
    },
  };
  return { over, on };
}

export function DropZone({
  title,
  hint,
  filesLabel,
  folderLabel,
  files = true,
  small,
  disabled,
  id,
  onPick,
  children,
}: DropZoneProps) {
  const { over, on } = useDrop(disabled === true, onPick);
  const fileInput = useRef<HTMLInputElement>(null);
  const folderInput = useRef<HTMLInputElement>(null);
  const take = (picked: Picked | undefined): void => {
    if (picked && picked.files.length > 0) onPick(picked);
  };
  const folder = (): void => {
    if (picksFolders) void attempt(async () => take(await pickFolder()));
    else folderInput.current?.click();
  };
  return (
    <div id={id} class={`drop${small ? " small" : ""}${over ? " over" : ""}`} {...on}>
      <p class="drop-title">{title}</p>
      <p class="hint">{hint}</p>
      <div class="buttons">
        {files && (
          <button type="button" disabled={disabled} onClick={() => fileInput.current?.click()}>
            {filesLabel ?? t("drop.files")}
          </button>
        )}
        <button type="button" disabled={disabled} onClick={folder}>
          {folderLabel ?? t("drop.folder")}
        </button>
        {children}
      </div>
      <input
        ref={fileInput}
        type="file"
        multiple
        hidden
        aria-hidden="true"
        tabIndex={-1}
        data-kind="files"
        onChange={(e) => take(filesOfInput(e.currentTarget))}
      />
      <input
        ref={folderInput}
        type="file"
        hidden
        aria-hidden="true"
        tabIndex={-1}
        data-kind="folder"
        {...{ webkitdirectory: true }}
        onChange={(e) => take(filesOfInput(e.currentTarget))}
      />
    </div>
  );
}
