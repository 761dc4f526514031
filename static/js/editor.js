// The rich text editor of the form 新建模板. Without it the textarea holds the HTML source.
"use strict";

(() => {
  const page = window.templateForm;
  if (!page || !window.Jodit) return;
  const { form, body, words, hooks, bar } = page;
  const access = window.editorAccess;
  const language = words.language === "en" ? "en" : "zh_cn";
  const token = form.querySelector("[name='csrfmiddlewaretoken']").value;
  const plain = { read: hooks.read, insert: hooks.insert };
  let editor = null;
  let loaded = "";
  let untouched = "";
  let richKept = null;

  // Resolves to {address, width}, or to {error}.
  function upload(file, progress) {
    return new Promise((resolve) => {
      const data = new FormData();
      data.append("picture", file, file.name || "picture.png");
      const request = new XMLHttpRequest();
      request.open("POST", words.pictures);
      request.setRequestHeader("Accept", "application/json");
      request.setRequestHeader("X-CSRFToken", token);
      request.responseType = "json";
      request.upload.onprogress = (event) => progress?.(Math.round((100 * event.loaded) / event.total));
      request.onload = () => resolve(request.response?.address || request.response?.error ? request.response : { error: words.wordFailed });
      request.onerror = () => resolve({ error: words.wordFailed });
      request.send(data);
    });
  }

  function insertPicture({ address, width, text = "" }) {
    const image = editor.createInside.element("img");
    image.setAttribute("src", address);
    image.setAttribute("alt", text);
    if (width) image.setAttribute("width", String(Math.min(width, 600)));
    image.setAttribute("style", "max-width:100%;height:auto;border:0");
    editor.s.focus();
    editor.s.insertNode(image);
    editor.synchronizeValues();
  }

  function picturePanel(close) {
    const panel = document.getElementById("picture-panel").content.firstElementChild.cloneNode(true);
    const find = (name) => panel.querySelector(`[data-picture-${name}]`);
    const text = () => find("text").value.trim();
    find("file").addEventListener("change", async (event) => {
      const [file] = event.target.files;
      if (!file) return;
      const bar = find("progress");
      bar.hidden = false;
      find("problem").textContent = "";
      const answer = await upload(file, (percent) => { bar.value = percent; });
      bar.hidden = true;
      event.target.value = "";
      if (answer.error) {
        find("problem").textContent = answer.error;
        return;
      }
      close();
      insertPicture({ ...answer, text: text() });
    });
    const insert = () => {
      const address = find("address").value.trim();
      if (!/^(https?:\/\/.|\{\{)/i.test(address)) {
        find("problem").textContent = words.wordBadAddress;
        find("address").focus();
        return;
      }
      close();
      insertPicture({ address, text: text() });
    };
    find("insert").addEventListener("click", insert);
    for (const field of [find("address"), find("text")]) {
      field.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || event.isComposing) return;
        event.preventDefault();
        insert();
      });
    }
    return panel;
  }

  const BUTTONS = [
    "undo", "redo", "|", "parameter", "link", "picture", "table", "hr", "symbols", "|", "paragraph", "font", "fontsize",
    "brush", "lineHeight", "|", "bold", "italic", "underline", "strikethrough", "superscript", "subscript", "eraser", "|",
    "align", "ul", "ol", "indent", "outdent", "|", "find", "source", "fullsize",
  ];
  const FEW_BUTTONS = [
    "undo", "parameter", "link", "picture", "table", "|", "paragraph", "brush", "bold", "italic", "align", "ul", "eraser", "|", "source", "fullsize",
  ];
  const FONTS = {
    "": "Default",
    "Arial,Helvetica,sans-serif": "Arial",
    "Georgia,serif": "Georgia",
    "'Times New Roman',Times,serif": "Times New Roman",
    "Verdana,Geneva,sans-serif": "Verdana",
    "'Courier New',Courier,monospace": "Courier New",
    "'Microsoft YaHei','PingFang SC',sans-serif": "微软雅黑",
    "SimSun,'Songti SC',serif": "宋体",
    "SimHei,'Heiti SC',sans-serif": "黑体",
    "KaiTi,'Kaiti SC',serif": "楷体",
    "FangSong,STFangsong,serif": "仿宋",
  };

  function options() {
    return {
      language,
      i18n: access.words,
      theme: "default", // its colours are ours, light and dark: editor.css
      tabIndex: 0,
      iframe: true,
      iframeSandbox: "allow-same-origin",
      iframeStyle: "html{background:#fff;color:#1f2937;font:16px/1.6 Arial,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif}body{margin:0;padding:16px;min-height:328px;outline:none}img{max-width:100%}img:not([src^='data:']){outline:1px dashed #c3d0cd}table{border-collapse:separate}",
      // A table without lines would vanish as soon as the pointer leaves it.
      createAttributes: { td: { style: "border:1px solid #c3d0cd;padding:8px" } },
      height: 640,
      minHeight: 360,
      sourceEditor: "area",
      beautifyHTML: false,
      buttons: BUTTONS, buttonsMD: BUTTONS, buttonsSM: BUTTONS, buttonsXS: FEW_BUTTONS,
      showCharsCounter: false,
      showWordsCounter: false,
      showXPathInStatusbar: false,
      hidePoweredByJodit: true,
      askBeforePasteHTML: false,
      askBeforePasteFromWord: false,
      defaultActionOnPaste: "insert_as_html",
      spellcheck: false,
      addNewLine: false,
      disablePlugins: ["video", "media", "file", "print", "preview", "about", "speech-recognize", "ai-assistant", "class-span", "xpath", "stat", "wrap-nodes", "add-new-line", "powered-by-jodit", "image-processor"],
      // The server cleans; here nothing that somebody wrote may change by being looked at.
      cleanHTML: {
        replaceNBSP: false, fillEmptyParagraph: false, removeEmptyElements: false, replaceOldTags: false, removeTrailingBr: false,
        singleQuotesInFontFamily: true, allowTags: false, denyTags: "script,iframe,object,embed,form", safeLinksTarget: false,
      },
      link: { noFollowCheckbox: false, openInNewTabCheckbox: false, processVideoLink: false, processPastedLink: true, modeClassName: false },
      image: { openOnDblClick: true, editStyle: false, editId: false, editClass: false, useImageEditor: false, showPreview: false },
      uploader: {
        url: words.pictures,
        insertImageAsBase64URI: false,
        imagesExtensions: ["jpg", "jpeg", "png", "gif", "webp"],
        filesVariableName: () => "picture",
        customUploadFunction: async (data, progress) => {
          const answers = await Promise.all([...data.values()].filter((part) => part instanceof File).map((file) => upload(file, progress)));
          return { success: answers.every((answer) => !answer.error), answers };
        },
        isSuccess: (answer) => answer.success,
        getMessage: (answer) => answer.answers.map((part) => part.error).filter(Boolean).join(" "),
        process: (answer) => answer,
        defaultHandlerSuccess: (answer) => answer.answers.forEach(insertPicture),
        error: (error) => toast(error.message || words.wordFailed, "error"),
        defaultHandlerError: (error) => toast(error.message || words.wordFailed, "error"),
      },
      controls: {
        font: { list: FONTS },
        parameter: {
          text: words.wordParameterShort,
          tooltip: words.wordParameter,
          popup: (view, current, close) => page.parameterPanel(close),
        },
        picture: { icon: "image", tooltip: words.wordPicture, popup: (view, current, close) => picturePanel(close) },
      },
      events: { change: page.changed },
    };
  }

  function start() {
    loaded = body.value;
    editor = window.Jodit.make(body, options());
    access.open(editor, words);
    // The browser cannot point at a field that the editor hides: the server says what is missing.
    body.required = false;
    untouched = editor.value;
    hooks.read = () => editor.value;
    hooks.insert = (text) => {
      editor.s.focus();
      editor.s.insertHTML(text);
      editor.synchronizeValues();
    };
    bar.hidden = true;
  }

  // The label and the link of an error lead to the editor, for the field itself is hidden.
  for (const leads of [body.labels[0], document.querySelector(`.template-errors a[href='#${body.id}']`)]) {
    leads?.addEventListener("click", (event) => {
      if (!editor) return;
      event.preventDefault();
      editor.container.scrollIntoView({ block: "center" });
      editor.s.focus();
    });
  }

  function stop() {
    editor.destruct();
    editor = null;
    body.required = true;
    Object.assign(hooks, plain);
    bar.hidden = false;
  }

  // What nobody changed goes back as it came.
  const value = () => (editor.value === untouched ? loaded : editor.value);
  hooks.submit = () => { if (editor) body.value = value(); };

  form.querySelectorAll("[name='body_type']").forEach((choice) => choice.addEventListener("change", () => {
    if (choice.value === "plain" && editor) {
      const text = editor.text.replaceAll("\u00a0", " ").trim();
      if (text.trim() && !window.confirm(words.wordToPlain)) {
        form.querySelector("[name='body_type'][value='rich']").checked = true;
        return;
      }
      richKept = { rich: value(), text };
      stop();
      body.value = text;
    } else if (choice.value === "rich" && !editor) {
      // Back again: the formatting is still there where the words were not changed.
      if (richKept && richKept.text === body.value) body.value = richKept.rich;
      else body.value = body.value.split(/\n{2,}/).map((part) => part && `<p>${escape(part).replaceAll("\n", "<br>")}</p>`).join("\n");
      start();
    }
    page.show();
  }));

  function escape(text) {
    return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  }

  if (form.querySelector("[name='body_type']:checked")?.value !== "plain") start();
})();
