"""The calculator's numbers by other means: plain Python, one draw at a time, no NumPy arithmetic, no product formulas.

Written from the formula study, separately from core/calculator: flat, scalar, month by month. It takes the drawn inputs
(so that both see the same draws) and gives totals, latencies, accuracies and break-evens of all four approaches.
"""

import math


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
            last = math.ceil(months / x["retrain_months"]) - 1
            counts = [min(math.floor(m / x["retrain_months"]), last) for m in range(months + 1)]
            done = [counts[m] - counts[m - 1] for m in range(1, months + 1)]

        # money, month by month
        spent = [launch]
        for m in range(months):
            amount = monthly + query * queries[m] + event * done[m]
            if machine:
                amount += machine[0] * max(machine[1], queries[m] * machine[2])
            spent.append(spent[-1] + amount * discount[m])

        # latency
        if words["latency_from"] == "document":
            first = total = x["document_latency_retrieval"] if looks_up else x["document_latency_tuned"]
        else:
            read = tokens - x["cache_is_hit"] * kept
            first = x["network_ms"] + x["queue_ms"] + read / per_second * 1000
            if looks_up:
                first += x["retrieval_ms"] + x["rerank_ms"]
            total = first + max(x["answer_tokens"] - 1, 0) * token_ms

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
        right = simpson(lambda t, c=c: math.exp(-c * t), lead, lead + span) / span if span else math.exp(-c * lead)
        accuracy = (1 - w) * static + w * (x["acc_stale"] + (current - x["acc_stale"]) * right)
        if name == "hybrid":
            accuracy = min(100.0, max(0.0, accuracy + x["hybrid_gain"]))

        weeks = x["prompt_setup_days"] / 7 if name == "prompt" else x["retrieval_setup_days"] / 7
        if tuned:
            building = x["tuning_setup_days"] / 7 + x["labelled_rows"] / x["label_rows_per_week"]
            weeks = max(weeks, building) if name == "hybrid" else building
        out[name] = {
            "over": tokens + x["answer_tokens"] - x["context_tokens"],
            "spent": spent,
            "ttft": first,
            "latency": total,
            "accuracy": accuracy,
            "stale": x["changing_share"] * (1 - right),
            "delay": (span / 2 + lead) * 730,
            "weeks": weeks,
            "steady": (
                launch + sum(d * e for d, e in zip(discount, done, strict=True)) * event,
                monthly,
                query,
                machine,
                sum(discount),
            ),
        }
    return out


def simpson(function, start, end, steps=1000):
    """The integral of a smooth function."""
    h = (end - start) / steps
    inner = sum((4 if k % 2 else 2) * function(start + k * h) for k in range(1, steps))
    return (function(start) + inner + function(end)) * h / 3


def steady_cost(steady, queries):
    """Total cost over the horizon at a steady number of queries a month."""
    fixed, monthly, query, machine, annuity = steady
    amount = monthly + query * queries
    if machine:
        amount += machine[0] * max(machine[1], queries * machine[2])
    return fixed + amount * annuity


def percentile(values, p):
    """Linear interpolation between ranks."""
    ranked = sorted(values)
    at = p / 100 * (len(ranked) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (ranked[high] - ranked[low]) * (at - low)
