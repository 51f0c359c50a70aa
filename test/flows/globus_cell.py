import base64, csv, io, os, pickle
import matplotlib.pyplot as plt
import requests

globus = pickle.loads(base64.b64decode(os.environ["GLOBUS_DATA"]))
transfer = globus["tokens"]["transfer.api.globus.org"]["access_token"]
session = requests.Session()
session.headers["Authorization"] = f"Bearer {transfer}"

listing = session.get(f"{API}/ls", params={"path": "/data"})
listing.raise_for_status()
name = listing.json()["DATA"][0]["name"]
table = session.get(f"{API}/files/data/{name}")
table.raise_for_status()
rows = list(csv.DictReader(io.StringIO(table.text)))
times = [float(row["time_s"]) for row in rows]
amplitudes = [float(row["amplitude"]) for row in rows]

figure, axes = plt.subplots(figsize=(7, 3))
axes.plot(times, amplitudes, color="#2b5a9b")
axes.set(xlabel="time [s]", ylabel="amplitude", title=f"{name}, by {globus['globus_user']['preferred_username']}")
picture = io.BytesIO()
figure.savefig(picture, format="png")
saved = session.put(f"{API}/files/results/plot.png", data=picture.getvalue(), headers={"Content-Type": "image/png"})
saved.raise_for_status()
plt.show()
print("servers:", sorted(globus["tokens"]), "rows:", len(rows), "saved:", saved.status_code, "endpoint:", os.environ["GLOBUS_LOCAL_ENDPOINT"])
