"use strict";
// Every word of the page's own. A lab's own texts (consent, debrief, instructions) come with the experiment.
(metamers => {
  const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

  metamers.messages = {
    "continue": "Continue",
    loading: "Loading",
    loaded: (done, all) => `${done} of ${all} files loaded.`,
    failed: "The experiment cannot go on",
    notLoaded: file => `${file} could not be loaded. Please reload the page; if this happens again, tell the experimenter.`,
    noStorage: "This browser does not let the page store answers. Please allow site data, or use another browser.",

    phone: "Please use a computer",
    phoneText: "The images of this experiment cannot be shown as they should be on a phone. Please open this page on a "
      + "laptop or desktop computer. Nothing was stored.",

    consent: "Consent",
    agree: "I agree, and take part",
    disagree: "I do not take part",
    declined: "Thank you",
    declinedText: "You chose not to take part. Nothing was stored. You may close this page.",

    code: "Your code",
    codeText: "Your answers are stored under this code, without your name. Note it if you may want them deleted later.",
    codeLabel: "Code",
    codeHint: "Change it only if you were given another: up to 40 letters, digits, hyphens or underscores.",
    listLabel: "List",
    noList: (text, last) => `There is no list ${text}; the lists are 0 to ${last}.`,
    listHint: last => `From 0 to ${last}. Leave it as it is, unless you were given a number.`,

    again: "Welcome back",
    againText: (code, answered, all) => `The session with the code ${code} is not finished: ${answered} of ${all} answers are `
      + "stored. You can go on where it stopped.",
    resume: "Go on",
    anew: "Start as someone else",

    connecting: "Connecting",
    connectingText: "The server does not answer. The experiment starts as soon as it does.",
    refused: "The server refused to start a session",

    elsewhere: "The experiment is open in another tab",
    elsewhereText: "Please go on there. Or go on here; the other tab then stops.",
    here: "Go on here",
    taken: "The experiment continues in another tab",
    takenText: "You may close this one.",

    size: "The window",
    sizeText: (width, height) => `This experiment needs a window of at least ${width} by ${height} pixels, so that images and `
      + "answers fit. Please make the window larger, for instance by full screen, or zoom out.",
    sizeNow: (width, height) => `The window has ${width} by ${height} pixels now.`,
    fullScreen: "Full screen",

    level: "Sound level",
    levelText: "Please put on headphones in a quiet place. Set the volume of your computer or phone to about a quarter, then "
      + "play the noise, and slowly turn the volume up until the noise is loud but comfortable. Do not change it afterwards. "
      + "You can play the noise as often as you like.",
    playNoise: "Play the noise",
    stopNoise: "Stop the noise",

    headphones: "Headphone check",
    headphonesText: "You will hear three tones, one after another. Which one is the softest? Each set is played once. If "
      + "your computer is set to mono audio (an accessibility setting), please switch that off first.",
    headphonesTrial: (trial, trials) => `Set ${trial} of ${trials}`,
    playTones: "Play the three tones",
    softest: "Which tone was the softest?",
    tones: ["First", "Second", "Third"],

    instructions: "Instructions",
    imageInstructions: "Each trial shows an image for a moment. Look at the cross in the middle; the image follows there, and "
      + "then a pattern. Your task is to say which of these 16 things was in the image. One of them is always there; if you are "
      + "not sure, guess.\n\nMany images look strange. Please answer by your first impression.\n\nChoose with the mouse, or with "
      + "the arrow keys and Enter. A letter takes you to the answers that begin with it.",
    soundInstructions: "Each trial plays a short recording of speech, once. Your task is to report the word in the middle of the clip. "
      + "If you are not sure, guess.\n\nMany clips sound strange. Type the first letters of the word "
      + "and choose it from the list: with the arrow keys and Enter, or with the mouse. Only words of the list count as answers.",
    wordList: "All words",
    search: "Search the words",

    practice: "Practice",
    practiceText: count => `First, ${plural(count, "trial")} for practice. You will see after each whether you were right.`,
    demo: "Trial run",
    demoText: count => `Now ${plural(count, "trial")} as in the experiment, without being told what was right.`,
    main: "The experiment",
    mainText: count => `Now the experiment: ${plural(count, "trial")}. You can take a break before any of them.`,
    start: "Start",

    ready: (trial, trials) => `Trial ${trial} of ${trials}`,
    showImage: "Show the image",
    whichCategory: "Which of these was in the image?",
    playSound: "Play the sound",
    whichWord: "Which word was spoken in the middle?",
    suggestions: "Words",
    answer: "Answer",
    found: (shown, all) => shown === all ? plural(all, "word") : `${shown} of ${plural(all, "word")}`,
    noMatch: "No match",
    chooseWord: "Please choose a word from the list.",
    right: answer => `Right: ${answer}`,
    wrong: answer => `It was: ${answer}`,

    "break": "Break",
    breakText: (done, all) => `${done} of ${all} trials are done. Rest as long as you like.`,
    comments: "Comments",
    commentsText: "Did anything go wrong, or did you notice anything unusual? You may leave this empty.",
    commentsLabel: "Your comments",

    stop: "Stop taking part",
    stopText: "You may stop at any time, without giving a reason.",
    stopKeep: "Stop, and keep my answers so far",
    stopDelete: "Stop, and delete my answers",
    stopNot: "Continue taking part",
    deleted: "Your answers are deleted",
    deletedText: "You may close this page. Thank you.",
    deleting: "Deleting",
    deletingText: "Your answers are being deleted. Please keep this page open until this is confirmed.",

    ended: { complete: "Thank you", withdrawn: "You have stopped", headphones: "The session ends here",
      demo: "The session ends here" },
    endedText: { complete: "", withdrawn: "", headphones: "The answers suggest that you do not use headphones, which this "
      + "experiment needs.", demo: "Too few answers of the trial run were right to go on." },
    unsaved: count => `${plural(count, "answer")} not yet saved.`,
    keepOpen: "Please keep this page open until they are.",
    saved: "All answers are saved.",
    completionCode: "Your completion code:",
    download: "Download the answers (CSV)",
    downloadText: "Your answers are in this browser alone. Please download them and give the file to the experimenter.",
    fallbackText: "If they cannot be saved, download them and send the file to the experimenter.",
    next: "Next participant",
    nextText: "This removes the answers from this browser.",
  };
})(window.metamers ||= {});
