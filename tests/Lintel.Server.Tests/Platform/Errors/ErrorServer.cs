using System.Text.Json.Serialization;
using Lintel.Infrastructure;
using Lintel.Platform.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;

namespace Lintel.Platform.Errors;

public sealed record Order(string Name, int Count, string? Email = null, IReadOnlyList<OrderLine>? OrderLines = null);

public sealed record OrderLine(string Article, double UnitPrice);

[JsonSerializable(typeof(Order))]
internal sealed partial class OrderJson : JsonSerializerContext;

/// <summary>The server with routes that fail in every way there is.</summary>
public sealed class ErrorServer() : ServerFixture(TestDatabaseKind.Sqlite, configure: static builder => builder.AddJson(OrderJson.Default), map: Map)
{
    public const string Secret = "hunter2-in-the-message";

    /// <summary>Set when the route that waits for its client to leave has begun.</summary>
    public static TaskCompletionSource Waiting { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Set by the test when it has received the first half of a response.</summary>
    public static TaskCompletionSource HalfArrived { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static void Map(WebApplication app)
    {
        var routes = app.MapGroup("/fail");
        routes.MapPost("/order", (Order order) => TypedResults.Ok(order));
        routes.MapPost("/small", (Order order) => TypedResults.Ok(order)).WithMetadata(new SmallBody());
        routes.MapGet("/query", (int number, Guid? id) => TypedResults.Ok(number));
        routes.MapGet("/bug", string () => throw new InvalidOperationException(Secret));
        routes.MapGet("/outage", string () => throw new ServiceUnavailableException("The disk is full.") { RetryAfter = TimeSpan.FromSeconds(6.5) });
        routes.MapGet("/status/{code:int}", (int code) => TypedResults.StatusCode(code));
        routes.MapGet("/own-body", (HttpContext context) =>
        {
            context.Response.StatusCode = 404;
            return context.Response.WriteAsync("mine");
        });
        routes.MapGet("/half", async (HttpContext context) =>
        {
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("[1,2,");
            await HalfArrived.Task;
            throw new InvalidOperationException(Secret);
        });
        routes.MapGet("/prepared", (HttpContext context) =>
        {
            context.Response.Headers.ETag = "\"1\"";
            context.Response.Headers.ContentDisposition = "attachment";
            context.Response.Headers.SetCookie = "a=b";
            context.Response.ContentLength = 5000;
            throw new InvalidOperationException(Secret);
        });
        routes.MapGet("/wait", async (HttpContext context) =>
        {
            Waiting.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
        });
    }

    private sealed record SmallBody : IRequestSizeLimitMetadata
    {
        public long? MaxRequestBodySize => 100;
    }
}
