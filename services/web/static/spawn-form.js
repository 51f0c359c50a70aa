// Only the fields of the chosen profile count: those of the others are switched off, so that nothing wrong in a field nobody
// sees keeps the form from being sent. That they are not shown is the style sheet's work.
const profiles = [...document.querySelectorAll(".profile")];

function follow() {
  for (const profile of profiles) {
    const fields = profile.querySelector(".fields");
    if (fields) fields.disabled = !profile.querySelector('input[name="profile"]').checked;
  }
}

for (const profile of profiles) profile.addEventListener("change", follow);
// A browser that goes back fills the form in again after this script has run.
addEventListener("pageshow", follow);
follow();
// Without this script the browser checks nothing: it would refuse the form for a field that is not shown.
document.getElementById("spawn-form").noValidate = false;

// What is refused is looked at first.
document.querySelector('[aria-invalid="true"]')?.focus();
