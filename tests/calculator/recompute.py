"""The calculator's numbers by other means: plain Python, one draw at a time, no NumPy arithmetic, no product formulas.

Written from the formula study, separately from core/calculator: flat, scalar, month by month. It takes the drawn inputs
(so that both see the same draws) and gives totals, latencies, accuracies and break-evens of all four approaches.
"""

import math
from statistics import NormalDist

# 64 requests spread evenly: multiples of 1 / g, ..., 1 / g^4 with g^5 = g + 1, by bisection
_low, _high = 1.0, 2.0
for _ in range(60):
    _middle = (_low + _high) / 2
    _low, _high = (_middle, _high) if _middle**5 < _middle + 1 else (_low, _middle)
_spread = [[(0.5 + n * _low**-power) % 1 for power in (1, 2, 3, 4)] for n in range(1, 65)]
REQUESTS = [(NormalDist().inv_cdf(a), NormalDist().inv_cdf(b), c, e) for a, b, c, e in _spread]


def one_draw(x, words):
    """Everything for one draw. `x`: input name -> float, `words`: choices."""
    months = int(x["horizon"])
    discount = [1 / (1 + x["discount_rate"] / 100) ** (m / 12) for m in range(1, months + 1)]
    queries = [x["queries"] * (1 + x["growth"] / 100) ** (m - 1) for m in range(1, months + 1)]
    out = {}
    for name in ("prompt", "retrieval", "fine-tuning", "hybrid"):
        tuned, looks_up = name in ("fine-tuning", "hybrid"), name in ("retrieval", "hybrid")
        system = x["tuned_system_tokens"] if tuned else x["system_tokens"]
        passages = x["top_k"] * x["chunk_tokens"] if looks_up else 0
        corpus = x["corpus_tokens"] if name == "prompt" else 0
        tokens = system + x["history_tokens"] + x["question_tokens"] + passages + corpus
        kept = system + corpus
        launch, monthly, event, query, machine = 0.0, 0.0, 0.0, 0.0, None

        # people
        hours = {
            "prompt": ("prompt",),
            "retrieval": ("retrieval",),
            "fine-tuning": ("tuning",),
            "hybrid": ("retrieval", "tuning"),
        }[name]
        for part in hours:
            launch += x[part + "_setup_hours"] * x["hour_rate"]
            monthly += x[part + "_month_hours"] * x["hour_rate"]

        # model: tokens by API, or machines by the hour
        way, factor = words["hosting"], 1.0
        if tuned and words["tuned_hosting"] == "premium":
            way, factor = "api", x["tuned_multiplier"]
        elif tuned and words["tuned_hosting"] != "same":
            way = words["tuned_hosting"]
        if words["speed_from"] == "rates":
            per_second, token_ms = x["prefill_rate"], x["decode_ms"]
        else:
            n, eff = x["model_params"] * 1e9, x["inference_efficiency"] / 100
            per_second = x["gpu_peak_tflops"] * 1e12 * eff / (2 * n)
            token_ms = n * x["weight_bytes"] / (x["gpu_bandwidth"] * 1e9 * eff) * 1000
        if way == "api":
            paid = tokens - (passages if looks_up and words["retrieval_cost_from"] == "document" else 0)
            cached = x["cache_hit"] / 100 * kept
            cents_off = x["cache_discount"] / 100
            query += (paid - cached) * x["price_in"] * factor / 1e6
            query += cached * (1 - cents_off) * x["price_in"] * factor / 1e6
            query += x["answer_tokens"] * x["price_out"] * factor / 1e6
        else:
            busy = (tokens - x["cache_hit"] / 100 * kept) / per_second + x["answer_tokens"] * token_ms / 1000
            share = busy / 3600 / 730 / x["concurrency"] / (x["utilisation"] / 100)
            price = x["dedicated_hour_price"] * 730
            if way == "own":
                price = x["machine_price"] / x["machine_months"] + x["machine_power"] * 730 * x["power_price"]
            machine = (price, x["min_replicas"], share)

        # retrieval
        if looks_up:
            stored = x["corpus_tokens"] / (1 - x["chunk_overlap"] / 100)
            embed = stored / 1e6 * x["embedding_price"]
            size = stored / x["chunk_tokens"] * x["embedding_dimensions"] * 4 / 1e9
            launch += x["retrieval_setup"] + embed
            monthly += x["vector_monthly"] + size * x["vector_price"]
            monthly += embed * x["churn"] / 100 + embed * x["reembeds_per_year"] / 12
            if words["retrieval_cost_from"] == "document":
                query += x["retrieval_query_cost"]
            else:
                query += x["question_tokens"] / 1e6 * x["embedding_price"] + x["rerank_price"] / 1000

        # training
        done = [0] * months
        if tuned:
            if words["training_from"] == "document":
                training = x["training_document"]
            else:
                seen = x["labelled_rows"] * x["row_tokens"] * x["epochs"]
                training = seen / 1e6 * x["training_price"]
                if words["training_from"] == "gpu":
                    work = 6 * x["model_params"] * 1e9 * seen * (2 / 3 if words["training_method"] == "lora" else 1)
                    training = work / (x["gpu_peak_tflops"] * 1e12 * x["mfu"] / 100) / 3600 * x["gpu_hour_price"]
            labels = x["labelled_rows"] * x["label_cost"]
            launch += training + labels
            event = training + x["retrain_hours"] * x["hour_rate"] + labels * x["relabel_share"] / 100
            every = x["retrain_months"] if name == "fine-tuning" else x["behaviour_retrain_months"]
            last = math.ceil(months / every) - 1
            counts = [min(math.floor(m / every), last) for m in range(months + 1)]
            done = [counts[m] - counts[m - 1] for m in range(1, months + 1)]

        # the vendor retires the model
        gone = [0] * months
        move = 0.0
        if way == "api":
            life = x["retirement_months"]
            last = math.ceil(months / life) - 1
            counts = [min(math.floor(m / life), last) for m in range(months + 1)]
            gone = [counts[m] - counts[m - 1] for m in range(1, months + 1)]
            move = x["migration_hours"] * x["hour_rate"]
            if tuned:
                fresh_start = x["tuning_setup_hours"] * x["hour_rate"] + training + labels * x["relabel_share"] / 100
                move += max(event, fresh_start) if x["tuning_ends"] else event

        # money, month by month
        spent, bills = [launch], []
        for m in range(months):
            amount = monthly + query * queries[m] + event * done[m] + move * gone[m]
            if machine:
                amount += machine[0] * max(machine[1], queries[m] * machine[2])
            bills.append(amount)
            spent.append(spent[-1] + amount * discount[m])

        # latency
        if words["latency_from"] == "document":
            firsts = totals = [x["document_latency_retrieval"] if looks_up else x["document_latency_tuned"]] * 64
        else:
            changing = x["history_tokens"] + x["question_tokens"]
            cv, hit = x["length_spread"] / 100, x["cache_hit"] / 100
            chance, mean_wait = 1.0, x["queue_ms"]
            if way != "api":
                busy = (tokens - hit * kept) / per_second + x["answer_tokens"] * token_ms / 1000
                load = x["queries"] * busy / (730 * 3600)
                machines = max(x["min_replicas"], load / (x["concurrency"] * x["utilisation"] / 100))
                rho = min(load / (machines * x["concurrency"]) if machines else 0.0, 0.995)
                places = max(max(machines, 1) * x["concurrency"], 1)
                var = cv**2 * ((changing / per_second) ** 2 + (x["answer_tokens"] * token_ms / 1000) ** 2)
                var += hit * (1 - hit) * (kept / per_second) ** 2
                chance = rho ** (math.sqrt(2 * (places + 1)) - 1)
                mean_wait = (x["burstiness"] ** 2 + var / busy**2) / 2 * busy / (places * (1 - rho)) * 1000
            sigma = math.sqrt(math.log(1 + cv**2))
            firsts, totals = [], []
            for a, b, c, e in REQUESTS:
                read = tokens - changing + changing * math.exp(sigma * a - sigma**2 / 2) - (kept if c < hit else 0)
                wait = mean_wait * math.log(chance / (1 - e)) if chance / (1 - e) > 1 else 0.0
                first = x["network_ms"] + wait + max(read, 0) / per_second * 1000
                if looks_up:
                    first += x["retrieval_ms"] + x["rerank_ms"]
                firsts.append(first)
                written = x["answer_tokens"] * math.exp(sigma * b - sigma**2 / 2)
                totals.append(first + max(written - 1, 0) * token_ms)

        # accuracy, by averaging the decay numerically over one interval (Simpson), not by its closed form
        c, w = x["churn"] / 100, x["changing_share"] / 100
        if name == "fine-tuning":
            lead, span = x["retrain_days"] * 24 / 730, min(x["retrain_months"], months)
            static = current = x["acc_tuned_static"]
        else:
            lead, span = (x["prompt_update_hours"] if name == "prompt" else x["reindex_hours"]) / 730, 0.0
            static, current = x["acc_retrieval_static"], x["acc_retrieval_fresh"]
            if name == "prompt":
                static = current = x["acc_prompt"]
        right = math.exp(-c * lead)
        if span:
            pieces, at = 0.0, 0.0
            while at < months - 1e-12:  # every interval by itself, the last one as long as the horizon leaves it
                length = min(span, months - at)
                pieces += simpson(lambda t, c=c: math.exp(-c * t), lead, lead + length, 1000)
                at += length
            right = pieces / months
        accuracy = (1 - w) * static + w * (x["acc_stale"] + (current - x["acc_stale"]) * right)
        taught, alone = min(x["labelled_rows"] / x["rows_for_effect"], 1), x["acc_alone"]
        if looks_up:
            accuracy = alone + (accuracy - alone) * min(x["top_k"], 1)
        if name == "fine-tuning":
            accuracy = alone + (accuracy - alone) * taught
        if name == "hybrid":
            accuracy = min(100.0, max(0.0, accuracy + x["hybrid_gain"] * taught))

        labelling = x["labelled_rows"] / x["label_rows_per_week"]
        if words["launch_from"] == "document":
            weeks = x["prompt_setup_days"] / 7 if name == "prompt" else x["retrieval_setup_days"] / 7
            if tuned:
                building = x["tuning_setup_days"] / 7 + labelling
                weeks = max(weeks, building) if name == "hybrid" else building
        else:
            week = x["people"] * x["week_hours"]
            own = "prompt" if name == "prompt" else "tuning" if tuned else "retrieval"
            weeks = x[own + "_setup_hours"] / week
            if name == "hybrid":
                weeks += max(x["retrieval_setup_hours"] / week, labelling)
            elif tuned:
                weeks += labelling

        # energy, kWh
        if way == "api":
            kwh = ((tokens - x["cache_hit"] / 100 * kept) * x["energy_in"] + x["answer_tokens"] * x["energy_out"]) / 1e6
            kwh *= sum(queries) * x["pue"]
        else:
            kwh = sum(max(machine[1], q * machine[2]) for q in queries) * 730 * x["machine_power"] * x["pue"]
        if tuned:
            seen = x["labelled_rows"] * x["row_tokens"] * x["epochs"]
            work = 6 * x["model_params"] * 1e9 * seen * (2 / 3 if words["training_method"] == "lora" else 1)
            hours = work / (x["gpu_peak_tflops"] * 1e12 * x["mfu"] / 100) / 3600
            kwh += hours * x["machine_power"] * x["pue"] * (1 + sum(done) + sum(gone))
        asked = sum(d * q for d, q in zip(discount, queries, strict=True))
        out[name] = {
            "over": tokens + x["answer_tokens"] - x["context_tokens"],
            "spent": spent,
            "ttft": {p: percentile(firsts, p) for p in (50, 95, 99)},
            "latency": {p: percentile(totals, p) for p in (50, 95, 99)},
            "first_year": launch + sum(bills[:12]),
            "month": sum(bills) / months,
            "per_right": spent[-1] / (asked * accuracy / 100),
            "wrong_cost": asked * (1 - accuracy / 100) * x["cost_per_wrong"],
            "exit": move * sum(d * e for d, e in zip(discount, gone, strict=True)),
            "energy": kwh,
            "accuracy": accuracy,
            "stale": x["changing_share"] * (1 - right),
            "delay": (span / 2 + lead) * 730,
            "weeks": weeks,
            "by volume": (
                launch
                + sum(d * e for d, e in zip(discount, done, strict=True)) * event
                + sum(d * e for d, e in zip(discount, gone, strict=True)) * move,
                monthly,
                query,
                machine,
                discount,
                1 + x["growth"] / 100,
            ),
        }
    return out


def simpson(function, start, end, steps=1000):
    """The integral of a smooth function."""
    h = (end - start) / steps
    inner = sum((4 if k % 2 else 2) * function(start + k * h) for k in range(1, steps))
    return (function(start) + inner + function(end)) * h / 3


def grown_cost(parts, queries):
    """Total cost over the horizon, month by month, when the first month has so many queries and the rest grow."""
    total, monthly, query, machine, discount, growth = parts
    for month, factor in enumerate(discount):
        asked = queries * growth**month
        amount = monthly + query * asked
        if machine:
            amount += machine[0] * max(machine[1], asked * machine[2])
        total += amount * factor
    return total


def percentile(values, p):
    """Linear interpolation between ranks."""
    ranked = sorted(values)
    at = p / 100 * (len(ranked) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (ranked[high] - ranked[low]) * (at - low)
