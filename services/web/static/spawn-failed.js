// The last lines are what matters: they are shown first.
import "./local-times.js";

const tail = document.getElementById("tail");
if (tail) tail.scrollTop = tail.scrollHeight;
